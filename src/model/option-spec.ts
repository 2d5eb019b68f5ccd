/** What an option is: how a value is read, its default, and the readers that many options share. Pure. */

import { isRecord } from './fields.ts';

/** What one option takes. Data, of which a function is loaded with dozens; which of these it is shows in what it says. */
export type OptionSpec<T> = TextSpec | FlagSpec | IntegerSpec | OneOfSpec | ReadSpec<T>;

/** A text that is not empty. */
interface TextSpec {
  readonly fallback?: string;
}
interface FlagSpec {
  readonly fallback: boolean;
}
interface IntegerSpec {
  readonly min: number;
  readonly max: number;
  readonly fallback?: number;
}
interface OneOfSpec {
  readonly values: readonly string[];
  readonly fallback: string;
}

/** Anything else. `read` returns the value or throws a `RangeError` with the rest of the sentence "must be ...". */
export interface ReadSpec<T> {
  readonly read: (value: unknown) => T;
  /** Turns the text of an environment variable into what `read` takes; absent: not settable from the environment. */
  readonly parse?: (text: string) => unknown;
  /** Blanks around an environment variable's text belong to it. */
  readonly keepsBlanks?: true;
  /** Fields of an object that `read` takes, each with a variable of its own: `tls.ca` is `MEMPHIS_TLS_CA`. */
  readonly fields?: OptionTable;
  /** Left out where what is left out is nothing. */
  readonly fallback?: T;
}

/** What a value of an option is. */
type ValueOf<Spec> =
  Spec extends ReadSpec<infer T>
    ? T
    : Spec extends { readonly values: readonly (infer T)[] }
      ? T
      : Spec extends FlagSpec
        ? boolean
        :
            | (Spec extends IntegerSpec ? number : string)
            | (Spec extends { readonly fallback: string | number } ? never : undefined);

export type OptionTable = Readonly<Record<string, OptionSpec<unknown>>>;
/** The resolved values of a table. */
export type Resolved<Table extends OptionTable> = {
  readonly [Name in keyof Table]: ValueOf<Table[Name]>;
};
/** What callers may give for a table: anything may be left out. */
export type Given<Table extends OptionTable> = { readonly [Name in keyof Table]?: Resolved<Table>[Name] | undefined };
/**
 * The same for a table that another one was spread into. Declarations lose the words of what was spread, so the tables
 * stand apart here, and an editor shows each option's own.
 *
 * @typeParam Restated options of the inner table that the outer one states anew
 */
export type GivenOver<
  Table extends OptionTable,
  Inner extends OptionTable,
  Restated extends keyof Inner = never,
> = Omit<Given<Inner>, Restated> & Omit<Given<Table>, Exclude<keyof Inner, Restated>>;

export const DAY_MS = 86_400_000;
/** The widest number that settings of a Memphis broker hold: 32 bit (memphis-wire 8.1). */
export const MAX_INT = 2_147_483_647;

export function must(what: string): never {
  throw new RangeError(what);
}

/** A text that is left out mostly. */
export const text = {} as const satisfies TextSpec;
/** What is on or off, and mostly off. */
export const off = { fallback: false } as const satisfies FlagSpec;
/** The same, and mostly on. */
export const on = { fallback: true } as const satisfies FlagSpec;

/** A value as it is used. @throws RangeError as `ReadSpec.read` */
export function readOption(spec: OptionSpec<unknown>, value: unknown): unknown {
  if ('read' in spec) return spec.read(value);
  if ('max' in spec) return readInteger(spec, value);
  if ('values' in spec) return spec.values.includes(value as string) ? value : must(`one of ${spec.values.join(', ')}`);
  if (typeof spec.fallback === 'boolean') return typeof value === 'boolean' ? value : must('true or false');
  return typeof value === 'string' && value !== '' ? value : must('a text that is not empty');
}

function readInteger({ min, max }: IntegerSpec, value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
    ? (value as number) + 0 // no -0
    : must(`a whole number from ${min} to ${max}`);
}

/** The text of an environment variable as what `readOption` takes; nothing: the environment has no say. */
export function parseOption(spec: OptionSpec<unknown>, raw: string): unknown {
  if ('read' in spec) return spec.parse?.(raw);
  if ('max' in spec) return Number(raw);
  return typeof spec.fallback === 'boolean' ? parseFlag(raw) : raw;
}

/** What says neither is refused as it stands. */
export function parseFlag(raw: string): unknown {
  return { true: true, false: false, 1: true, 0: false }[raw.toLowerCase()] ?? raw;
}

/** Texts by name, such as headers. A copy: the caller may write to its own. */
export function readTexts(value: unknown): Readonly<Record<string, string>> {
  const isSound = isRecord(value) && Object.values(value).every((item) => typeof item === 'string');
  return isSound ? ({ ...value } as Readonly<Record<string, string>>) : must('an object of texts');
}

/** Texts by name that are left out mostly. */
export const texts: ReadSpec<Readonly<Record<string, string>> | undefined> = { read: readTexts };

function readFunction(value: unknown): never {
  return typeof value === 'function' ? (value as never) : must('a function');
}

/** A function that is called; not settable from the environment. */
export function callback<F extends (...args: never[]) => unknown>(): ReadSpec<F | undefined> {
  return { read: readFunction };
}
