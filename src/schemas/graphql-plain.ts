/**
 * Whether a document of GraphQL is plain and right: one query or mutation of fields and literals, which are read against
 * the table as they come. Nearly all messages are, and for them the parser and the rules, ten times as long, need not even
 * be compiled: that was more than half of a first message's time (decision 022).
 */

import { type GraphqlTable, get, type Inputs, inputOf, isLeaf, itemOf, nameOf, nullable } from './graphql-table.ts';
import { isDigit, isIgnored, isLetter } from './graphql-tokens.ts';
import { literals } from './graphql-values.ts';

/** @returns false also for what only the parser and the rules can tell */
export function isPlain(table: GraphqlTable, text: string, maxTokens: number): boolean {
  return text.isWellFormed() && new Plain(table, text, maxTokens).isRight();
}

class Plain {
  readonly #table: GraphqlTable;
  readonly #text: string;
  /** Tokens that may come yet. */
  #left: number;
  #at = 0;

  constructor(table: GraphqlTable, text: string, maxTokens: number) {
    this.#table = table;
    this.#text = text;
    this.#left = maxTokens;
  }

  isRight(): boolean {
    this.#next(0);
    let kind = 'query';
    if (this.#text[this.#at] !== '{') {
      kind = this.#name();
      if (kind !== 'query' && kind !== 'mutation') return false;
      this.#name();
    }
    const root = this.#table.roots[kind as 'query' | 'mutation'];
    return root !== undefined && this.#fields(root) && this.#at === this.#text.length;
  }

  #fields(parent: string): boolean {
    if (!this.#took('{')) return false;
    const { types } = this.#table;
    const seen = new Set(['']); // a field has a name
    do {
      const alias = this.#name();
      const name = this.#took(':') ? this.#name() : alias;
      const field = get(types[parent]?.fields, name);
      if (field === undefined || seen.has(alias)) return false;
      seen.add(alias);
      const [type, inputs] = field;
      if (inputs !== undefined && !this.#inputs(inputs, this.#took('('), ')')) return false;
      const inner = nameOf(type);
      if (!isLeaf(types[inner]) && !this.#fields(inner)) return false;
    } while (!this.#took('}'));
    return true;
  }

  /** Arguments, or the fields of an object. */
  #inputs(inputs: Inputs, isOpen: boolean, close: string): boolean {
    const seen = new Set<string>();
    while (isOpen && !this.#took(close)) {
      const name = this.#name();
      const input = get(inputs, name);
      if (input === undefined || seen.has(name) || !this.#took(':') || !this.#value(inputOf(input).type)) return false;
      seen.add(name);
    }
    for (const name in inputs) if (inputs[name]?.endsWith('!') && !seen.has(name)) return false;
    return seen.size > 0 || !isOpen || close === '}';
  }

  #value(type: string): boolean {
    const wanted = nullable(type);
    const row = this.#table.types[wanted];
    if (row === undefined) {
      if (!this.#took('[')) return false;
      while (!this.#took(']')) if (!this.#value(itemOf(wanted))) return false;
      return true;
    }
    if (row.kind === 'input')
      return row.isOneOf !== true && this.#took('{') && this.#inputs(row.inputs ?? {}, true, '}');
    const word = this.#name();
    if (row.kind === 'enum') return row.values?.includes(word) === true;
    const kind = word === '' ? this.#literal() : word === 'true' || word === 'false' ? 'boolean' : '';
    return get(literals, wanted)?.includes(kind) === true;
  }

  /** Its kind; '' where it has escapes, three quotes or an exponent, or is long. */
  #literal(): string {
    const literal = /"[^"\\\n\r]*"(?!")|-?(?:0|[1-9]\d{0,8})(\.\d+)?(?![\w.])/y;
    literal.lastIndex = this.#at;
    const [text, fraction] = literal.exec(this.#text) ?? [];
    if (text === undefined) return '';
    this.#next(literal.lastIndex);
    return text.startsWith('"') ? 'string' : fraction === undefined ? 'int' : 'float';
  }

  /** '' for none. */
  #name(): string {
    const from = this.#at;
    let at = from;
    for (let unit = this.#text.charCodeAt(at); isLetter(unit) || (isDigit(unit) && at > from); )
      unit = this.#text.charCodeAt(++at);
    if (at > from) this.#next(at);
    return this.#text.slice(from, at);
  }

  #took(sign: string): boolean {
    const isThere = this.#text[this.#at] === sign;
    if (isThere) this.#next(this.#at + 1);
    return isThere;
  }

  /** From the end of a token to the next one; behind the end of the text where there were too many. */
  #next(end: number): void {
    let at = end;
    while (isIgnored(this.#text.charCodeAt(at))) at++;
    this.#at = this.#left-- < 0 ? this.#text.length + 1 : at;
  }
}
