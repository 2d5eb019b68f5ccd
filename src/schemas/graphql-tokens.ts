/** The text of GraphQL operations -> tokens, for precompiled schemas: bundles of functions hold no `graphql` (decision 022). */

import { Problem } from './graphql-problem.ts';

/** Punctuation and keywords have their text for a kind. */
export interface Token {
  readonly kind: 'name' | 'int' | 'float' | 'string' | 'end' | 'sign';
  /** A name, a number or a sign as it stands; of strings what they say. */
  readonly text: string;
  readonly at: number;
  /** Of strings: in three quotes. */
  readonly isBlock?: boolean;
}

const ignored = /[\uFEFF\t\n\r ,]*/y;
const lineEnd = /[\n\r]|$/g;
const word = /(\.\.\.|[!$&():=@[\]{|}])|([A-Za-z_]\w*)|(-?(?:0|[1-9]\d*)((?:\.\d+)?(?:[eE][+-]?\d+)?))(?![\w.])/y;
const stringPart = /["\\\n\r]/g;
const scalar = /[\uD800-\uDFFF]/;

/** Reads tokens one by one. */
export class Tokens {
  readonly #text: string;
  readonly #max: number;
  #at = 0;
  #count = 0;

  /** @throws Problem for half characters, which the language does not know */
  constructor(text: string, max: number) {
    if (!text.isWellFormed()) throw new Problem('it is no document of GraphQL', 0);
    this.#text = text;
    this.#max = max;
  }

  /** @throws Problem */
  next(): Token {
    const at = this.#skip();
    if (at >= this.#text.length) return { kind: 'end', text: '', at };
    if (++this.#count > this.#max) throw new Problem(`it has more than ${this.#max} tokens`, at);
    if (this.#text[at] === '"') return this.#text.startsWith('"""', at) ? this.#block(at) : this.#string(at);
    word.lastIndex = at;
    const [text = '', sign, name, , fraction] = word.exec(this.#text) ?? this.#fail(at);
    this.#at = at + text.length;
    if (sign !== undefined) return { kind: 'sign', text, at };
    return { kind: name !== undefined ? 'name' : fraction === '' ? 'int' : 'float', text, at };
  }

  /** Behind blanks and comments. */
  #skip(): number {
    for (;;) {
      ignored.lastIndex = this.#at;
      ignored.test(this.#text);
      this.#at = ignored.lastIndex;
      if (this.#text[this.#at] !== '#') return this.#at;
      lineEnd.lastIndex = this.#at;
      this.#at = lineEnd.exec(this.#text)?.index ?? this.#text.length;
    }
  }

  #string(at: number): Token {
    let text = '';
    let from = at + 1;
    for (;;) {
      stringPart.lastIndex = from;
      const found = stringPart.exec(this.#text);
      if (found === null || found[0] === '\n' || found[0] === '\r') return this.#fail(at);
      text += this.#text.slice(from, found.index);
      if (found[0] === '"') {
        this.#at = found.index + 1;
        return { kind: 'string', text, at };
      }
      const [size, character] = escaped(this.#text.slice(found.index + 1, found.index + 12)) ?? this.#fail(found.index);
      text += character;
      from = found.index + 1 + size;
    }
  }

  #block(at: number): Token {
    let end = at + 3;
    for (;;) {
      end = this.#text.indexOf('"""', end);
      if (end === -1) return this.#fail(at);
      if (this.#text[end - 1] !== '\\') break;
      end += 3;
    }
    this.#at = end + 3;
    const lines = this.#text
      .slice(at + 3, end)
      .replaceAll('\\"""', '"""')
      .split(/\r\n|\n|\r/);
    return { kind: 'string', text: dedent(lines), at, isBlock: true };
  }

  #fail(at: number): never {
    throw new Problem('it is no document of GraphQL', at);
  }
}

const letters: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** @param text behind the backslash @returns how many units it takes, and the character */
function escaped(text: string): readonly [number, string] | undefined {
  const [letter = ''] = text;
  if (letter !== 'u') return letters[letter] === undefined ? undefined : [1, letters[letter]];
  const [all = '', braced, pair, plain] =
    /^u(?:\{([\da-f]{1,8})\}|(d[89ab][\da-f]{2}\\ud[c-f][\da-f]{2})|([\da-f]{4}))/i.exec(text) ?? [];
  if (all === '') return undefined;
  if (pair !== undefined) return [all.length, fromUnits(pair.slice(0, 4), pair.slice(6))];
  const code = Number.parseInt(braced ?? plain ?? '', 16);
  if (code > 0x10_ff_ff) return undefined;
  const character = String.fromCodePoint(code);
  return character.length === 1 && scalar.test(character) ? undefined : [all.length, character];
}

const fromUnits = (...units: readonly string[]): string =>
  String.fromCharCode(...units.map((unit) => Number.parseInt(unit, 16)));

/** Without the indentation that all lines but the first have, and without blank lines around. */
function dedent(lines: readonly string[]): string {
  const isBlank = (line: string): boolean => /^[\t ]*$/.test(line);
  const indents = lines.filter((line, index) => index > 0 && !isBlank(line)).map((line) => line.search(/[^\t ]/));
  const common = indents.length === 0 ? 0 : Math.min(...indents);
  const first = lines.findIndex((line) => !isBlank(line));
  if (first === -1) return '';
  return lines
    .map((line, index) => (index === 0 ? line : line.slice(common)))
    .slice(first, lines.findLastIndex((line) => !isBlank(line)) + 1)
    .join('\n');
}
