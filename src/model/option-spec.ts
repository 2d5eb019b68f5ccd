/** What an option is: how a value is read, its default, and the readers that many options share. Pure. */

import { isRecord } from './fields.ts';

/** What one option takes. `read` returns the value or throws a `RangeError` with the rest of the sentence "must be ...". */
export interface OptionSpec<T> {
  readonly read: (value: unknown) => T;
  /** Turns the text of an environment variable into what `read` takes; absent: not settable from the environment. */
  readonly parse?: (text: string) => unknown;
  /** Blanks around an environment variable's text belong to it. */
  readonly keepsBlanks?: true;
  /** Fields of an object that `read` takes, each with a variable of its own: `tls.ca` is `MEMPHIS_TLS_CA`. */
  readonly fields?: OptionTable;
  readonly fallback: T;
}

export type OptionTable = Readonly<Record<string, OptionSpec<unknown>>>;
/** The resolved values of a table. */
export type Resolved<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends OptionSpec<infer T> ? T : never;
};
/** What callers may give for a table: anything may be left out. */
export type Given<Table extends OptionTable> = { readonly [Name in keyof Table]?: Resolved<Table>[Name] | undefined };

export const DAY_MS = 86_400_000;
/** The widest number that settings of a Memphis broker hold: 32 bit (memphis-wire 8.1). */
export const MAX_INT = 2_147_483_647;

export function must(what: string): never {
  throw new RangeError(what);
}

function readInteger(min: number, max: number) {
  return (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number) + 0 // no -0
      : must(`a whole number from ${min} to ${max}`);
}

export function integer(min: number, max: number, fallback: number): OptionSpec<number> {
  return {
    read: readInteger(min, max),
    parse: Number,
    fallback,
  };
}
/** Readers of one option, for tables that belong to one feature alone. */
export function optionalInteger(min: number, max: number): OptionSpec<number | undefined> {
  return {
    read: readInteger(min, max),
    parse: Number,
    fallback: undefined,
  };
}
export function text<T extends string | undefined>(fallback: T): OptionSpec<string | T> {
  return {
    read: (value) => (typeof value === 'string' && value !== '' ? value : must('a text that is not empty')),
    parse: (raw) => raw,
    fallback,
  };
}
export function flag(fallback: boolean): OptionSpec<boolean> {
  return {
    read: (value) => (typeof value === 'boolean' ? value : must('true or false')),
    parse: (raw) => ({ true: true, false: false, 1: true, 0: false })[raw.toLowerCase()] ?? raw,
    fallback,
  };
}
export function oneOf<T extends string>(values: readonly T[], fallback: T): OptionSpec<T> {
  return {
    read: (value) => (values.includes(value as T) ? (value as T) : must(`one of ${values.join(', ')}`)),
    parse: (raw) => raw,
    fallback,
  };
}
/** Texts by name, such as headers. A copy: the caller may write to its own. */
export function textsByName<T extends Readonly<Record<string, string>> | undefined>(
  fallback: T,
): OptionSpec<Readonly<Record<string, string>> | T> {
  return {
    read: (value) =>
      isRecord(value) && Object.values(value).every((item) => typeof item === 'string')
        ? ({ ...value } as Readonly<Record<string, string>>)
        : must('an object of texts'),
    fallback,
  };
}

/** A function that is called; not settable from the environment. */
export function callback<F extends (...args: never[]) => unknown>(): OptionSpec<F | undefined> {
  return {
    read: (value) => (typeof value === 'function' ? (value as F) : must('a function')),
    fallback: undefined,
  };
}
