/** The text of GraphQL operations -> what they say, for precompiled schemas. Definitions of types are no operations. */

import {
  type Definition,
  type Directive,
  keyOf,
  type Named,
  type Selection,
  type Value,
  type Variable,
} from './graphql-document.ts';
import { Problem } from './graphql-problem.ts';
import { type Token, Tokens } from './graphql-tokens.ts';

/** @throws Problem; RangeError for what is nested too deeply */
export function parseOperations(text: string, maxTokens: number): readonly Definition[] {
  return new Parser(new Tokens(text, maxTokens)).document();
}

class Parser {
  readonly #tokens: Tokens;
  #token: Token;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
    this.#token = tokens.next();
  }

  document(): readonly Definition[] {
    const definitions: Definition[] = [];
    do definitions.push(this.#definition());
    while (this.#token.kind !== 'end');
    return definitions;
  }

  #definition(): Definition {
    const { at } = this.#token;
    const nothing = { name: '', on: '', variables: [], directives: [], at };
    if (this.#is('{')) return { ...nothing, kind: 'query', selections: this.#selections() };
    return this.#namedDefinition(nothing);
  }

  #namedDefinition(nothing: Pick<Definition, 'name' | 'on' | 'variables' | 'directives' | 'at'>): Definition {
    const { at } = nothing;
    this.#description();
    const kind = this.#name();
    if (kind === 'fragment') {
      const name = this.#fragmentName();
      this.#word('on');
      return {
        ...nothing,
        kind,
        name,
        on: this.#name(),
        directives: this.#directives(),
        selections: this.#selections(),
      };
    }
    if (kind !== 'query' && kind !== 'mutation' && kind !== 'subscription') return this.#fail(at);
    return {
      ...nothing,
      kind,
      name: this.#token.kind === 'name' ? this.#name() : '',
      variables: this.#list('(', ')', () => this.#variable()),
      directives: this.#directives(),
      selections: this.#selections(),
    };
  }

  #variable(): Variable {
    this.#description();
    const { at } = this.#token;
    this.#sign('$');
    const name = this.#name();
    this.#sign(':');
    const type = this.#type();
    const fallback = this.#took('=') ? this.#value(true) : undefined;
    return { name, type, fallback, directives: this.#directives(true), at };
  }

  #type(): string {
    let type: string;
    if (this.#took('[')) {
      type = `[${this.#type()}]`;
      this.#sign(']');
    } else type = this.#name();
    return this.#took('!') ? `${type}!` : type;
  }

  #selections(): readonly Selection[] {
    if (!this.#is('{')) this.#fail();
    return this.#list('{', '}', () => this.#selection());
  }

  #selection(): Selection {
    const { at } = this.#token;
    if (this.#took('...')) return this.#spread(at);
    const alias = this.#name();
    const name = this.#took(':') ? this.#name() : alias;
    const args = this.#is('(') ? this.#args(false) : [];
    const directives = this.#is('@') ? this.#directives() : [];
    const selections = this.#is('{') ? this.#selections() : undefined;
    return { kind: 'field', name, alias, args, directives, on: '', selections, at };
  }

  #spread(at: number): Selection {
    const nothing = { name: '', alias: '', args: [], on: '', selections: undefined, at };
    if (this.#token.kind === 'name' && this.#token.text !== 'on') {
      return { ...nothing, kind: 'spread', name: this.#name(), directives: this.#directives() };
    }
    const on = this.#tookWord('on') ? this.#name() : '';
    return { ...nothing, kind: 'inline', on, directives: this.#directives(), selections: this.#selections() };
  }

  #directives(isConstant = false): readonly Directive[] {
    const directives: Directive[] = [];
    for (let { at } = this.#token; this.#took('@'); { at } = this.#token) {
      directives.push({ name: this.#name(), args: this.#args(isConstant), at });
    }
    return directives;
  }

  #args(isConstant: boolean): readonly Named[] {
    return this.#list('(', ')', () => this.#named(isConstant));
  }

  #named(isConstant: boolean): Named {
    const { at } = this.#token;
    const name = this.#name();
    this.#sign(':');
    return { name, value: this.#value(isConstant), at };
  }

  #value(isConstant: boolean): Value {
    const { kind, text, at, isBlock = false } = this.#token;
    const plain = { text, items: [], fields: [], at };
    if (kind === 'sign') return this.#composed(isConstant);
    this.#next();
    switch (kind) {
      case 'int':
      case 'float':
        return { ...plain, kind, key: `${kind} ${text}` };
      case 'string':
        return { ...plain, kind, key: JSON.stringify([text, isBlock]) };
      case 'name':
        return {
          ...plain,
          kind: text === 'null' ? 'null' : text === 'true' || text === 'false' ? 'boolean' : 'enum',
          key: text,
        };
      default:
        return this.#fail(at);
    }
  }

  #composed(isConstant: boolean): Value {
    const { at } = this.#token;
    const plain = { text: '', items: [], fields: [], at };
    if (!isConstant && this.#took('$')) {
      const text = this.#name();
      return { ...plain, kind: 'variable', text, key: `$${text}` };
    }
    if (this.#took('[')) {
      const items: Value[] = [];
      while (!this.#took(']')) items.push(this.#value(isConstant));
      return { ...plain, kind: 'list', items, key: `[${items.map(({ key }) => key).join()}]` };
    }
    this.#sign('{');
    const fields: Named[] = [];
    while (!this.#took('}')) fields.push(this.#named(isConstant));
    return { ...plain, kind: 'object', fields, key: `{${keyOf(fields)}}` };
  }

  /** One or more in brackets, or nothing at all. */
  #list<T>(open: string, close: string, read: () => T): readonly T[] {
    const all: T[] = [];
    if (!this.#took(open)) return all;
    do all.push(read());
    while (!this.#took(close));
    return all;
  }

  #description(): void {
    if (this.#token.kind === 'string') this.#next();
  }

  #fragmentName(): string {
    return this.#token.text === 'on' ? this.#fail() : this.#name();
  }

  #name(): string {
    const { kind, text } = this.#token;
    if (kind !== 'name') this.#fail();
    this.#next();
    return text;
  }

  #word(text: string): void {
    if (this.#name() !== text) this.#fail();
  }

  #tookWord(text: string): boolean {
    if (this.#token.kind !== 'name' || this.#token.text !== text) return false;
    this.#next();
    return true;
  }

  #is(sign: string): boolean {
    return this.#token.kind === 'sign' && this.#token.text === sign;
  }

  #took(sign: string): boolean {
    if (!this.#is(sign)) return false;
    this.#next();
    return true;
  }

  #sign(sign: string): void {
    if (!this.#took(sign)) this.#fail();
  }

  #next(): void {
    this.#token = this.#tokens.next();
  }

  #fail(at = this.#token.at): never {
    throw new Problem('it is no document of GraphQL', at);
  }
}
