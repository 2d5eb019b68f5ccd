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

// by units, since a regular expression takes a cold start more than all the tokens of a message
const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39;
export const isLetter = (unit: number): boolean => ((unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a) || unit === 0x5f;
const isLineEnd = (unit: number): boolean => unit === 0x0a || unit === 0x0d;
const isIgnored = (unit: number): boolean =>
  unit === 0x20 || isLineEnd(unit) || unit === 0x2c || unit === 0x09 || unit === 0xfeff;

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
    const unit = this.#text.charCodeAt(at);
    if (isLetter(unit)) {
      let end = at + 1;
      while (isLetter(this.#unit(end)) || isDigit(this.#unit(end))) end++;
      return this.#token('name', at, end);
    }
    if (isDigit(unit) || unit === 0x2d) return this.#number(at);
    if (this.#text.startsWith('...', at)) return this.#token('sign', at, at + 3);
    return '!$&():=@[]{|}'.includes(this.#text[at] ?? '') ? this.#token('sign', at, at + 1) : this.#fail(at);
  }

  #token(kind: Token['kind'], at: number, end: number): Token {
    this.#at = end;
    return { kind, text: this.#text.slice(at, end), at };
  }

  #unit(at: number): number {
    return this.#text.charCodeAt(at);
  }

  /** Behind blanks and comments. */
  #skip(): number {
    let at = this.#at;
    for (; ; at++) {
      if (this.#unit(at) === 0x23) while (at < this.#text.length && !isLineEnd(this.#unit(at))) at++;
      if (!isIgnored(this.#unit(at))) break;
    }
    return at;
  }

  #number(at: number): Token {
    const digits = (from: number): number => {
      let end = from;
      while (isDigit(this.#unit(end))) end++;
      return end === from ? this.#fail(from) : end;
    };
    const first = this.#text[at] === '-' ? at + 1 : at;
    const whole = this.#text[first] === '0' ? first + 1 : digits(first);
    let end = this.#text[whole] === '.' ? digits(whole + 1) : whole;
    if ((this.#unit(end) | 0x20) === 0x65) {
      const hasSign = this.#text[end + 1] === '+' || this.#text[end + 1] === '-';
      end = digits(end + (hasSign ? 2 : 1));
    }
    const next = this.#unit(end);
    if (isDigit(next) || isLetter(next) || next === 0x2e) this.#fail(end);
    return this.#token(end === whole ? 'int' : 'float', at, end);
  }

  #string(at: number): Token {
    let text = '';
    let from = at + 1;
    for (let end = from; ; end++) {
      const unit = this.#unit(end);
      if (Number.isNaN(unit) || isLineEnd(unit)) return this.#fail(at);
      if (unit !== 0x22 && unit !== 0x5c) continue;
      text += this.#text.slice(from, end);
      if (unit === 0x22) {
        this.#at = end + 1;
        return { kind: 'string', text, at };
      }
      const [size, character] = escaped(this.#text.slice(end + 1, end + 12)) ?? this.#fail(end);
      text += character;
      from = end + 1 + size;
      end += size;
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
  return code >= 0xd800 && code <= 0xdfff ? undefined : [all.length, character];
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
