/** Reads options: what a caller gave, else the environment, else the default. Unknown names are refused. */

import { isMemphisError, MemphisError } from './errors.ts';
import { readFields } from './fields.ts';
import {
  type Given,
  type OptionSpec,
  type OptionTable,
  parseOption,
  type Resolved,
  readOption,
} from './option-spec.ts';

const PREFIX = 'MEMPHIS_';

/** Options of which one stands in place of the others: where the caller gave one, variables of the others have no say. */
const choices: readonly (readonly string[])[] = [
  ['servers', 'host'],
  ['password', 'connectionToken', 'creds', 'nkey', 'internalKey'],
  ['username', 'creds', 'nkey'],
  ['station', 'stream'],
  ['station', 'filterSubject'],
  ['startConsumeFromSequence', 'lastMessages'],
];

/** The environment variable of an option. No expressions here and below: their first uses cost a cold start more. */
export function toEnvName(option: string): string {
  let variable = PREFIX;
  for (const letter of option) variable += letter >= 'A' && letter <= 'Z' ? `_${letter}` : letter.toUpperCase();
  return variable;
}

/** The option that a variable is of, or how it would be called. */
function toOptionName(variable: string): string {
  const [first, ...others] = variable.slice(PREFIX.length).toLowerCase().split('_');
  return first + others.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** Steps of one letter between two names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The closest of some names, when it is close enough to be a slip of the finger; ready to stand behind a sentence. */
export function didYouMean(name: string, names: readonly string[]): string {
  const given = name.slice(0, 100).toLowerCase();
  const ranked = names.map((known) => ({ known, steps: distance(given, known.toLowerCase()) }));
  const best = ranked.sort((a, b) => a.steps - b.steps)[0];
  return best !== undefined && best.steps <= Math.max(2, best.known.length / 3) ? ` Did you mean ${best.known}?` : '';
}

/** Names are shown, values never: they may be secrets. */
function shown(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}...` : name;
}

function unknownOption(where: string, name: string, table: OptionTable): MemphisError {
  const hint = didYouMean(name, Object.keys(table));
  return new MemphisError('INVALID_OPTION', `${where}: there is no option ${shown(name)}.${hint}`, {
    option: shown(name),
  });
}

/** What is thrown for an option whose reading threw something. */
function refusal(where: string, name: string, shownAs: string, error: unknown): MemphisError {
  if (isMemphisError(error)) return error;
  const isOutside = error instanceof RangeError;
  const why = isOutside ? `must be ${error.message}` : 'cannot be read; see the cause';
  return new MemphisError('INVALID_OPTION', `${where}: ${shownAs} ${why}.`, {
    option: name,
    ...(isOutside ? {} : { cause: error }),
  });
}

/**
 * Checks names and values that a caller gave, without filling in anything.
 *
 * @param where what is being called, for the error text
 * @returns the values as they are used, of those that were given
 * @throws MemphisError `INVALID_OPTION`
 */
export function checkOptions<Table extends OptionTable>(where: string, table: Table, given: unknown): Given<Table> {
  const fields = readFields(where, given);
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    const spec = Object.hasOwn(table, name) ? table[name] : undefined;
    if (spec === undefined) throw unknownOption(where, name, table);
    try {
      if (value === undefined) delete fields[name];
      else fields[name] = readOption(spec, value);
    } catch (error) {
      throw refusal(where, name, name, error);
    }
  }
  return fields as Given<Table>;
}

/**
 * Values of a table: what the caller gave, else the environment, else the default.
 *
 * @param env read only where the caller gave neither the option nor one in its place; left out: the environment has no say
 * @throws MemphisError `INVALID_OPTION`, naming the option or the variable
 */
export function resolveOptions<Table extends OptionTable>(
  where: string,
  table: Table,
  given: unknown,
  env?: Readonly<Record<string, string | undefined>>,
): Resolved<Table> {
  const own: Values = checkOptions(where, table, given);
  const resolved: Record<string, unknown> = {};
  for (const name of Object.keys(table)) resolved[name] = table[name]?.fallback;
  const others: string[] = [];
  // the variables that are there are few: asking for each option's would take as long as all else
  for (const variable of Object.keys(env ?? {})) {
    if (!variable.startsWith(PREFIX)) continue;
    const name = toOptionName(variable);
    if (!Object.hasOwn(table, name)) others.push(name);
    else if (!(name in own) && !isReplaced(name, own) && isWellFormed(variable)) {
      resolved[name] = readVariable(where, name, table[name] as OptionSpec<unknown>, env as Environment, variable);
    }
  }
  if (others.length > 0) addFields(where, table, own, env as Environment, resolved, others);
  return Object.assign(resolved, own) as Resolved<Table>;
}

type Values = Readonly<Record<string, unknown>>;
type Environment = Readonly<Record<string, string | undefined>>;

function isReplaced(name: string, own: Values): boolean {
  return choices.some((choice) => choice.includes(name) && choice.some((other) => other in own));
}

/** `MEMPHIS_TLS_` and `memphis_tls` are no variables of `tls`. */
function isWellFormed(variable: string): boolean {
  return variable === variable.toUpperCase() && !`${variable}_`.includes('__');
}

/** What a variable says, else the default. Templates that were not filled in leave variables empty or blank: as if they were not set. */
function readVariable(
  where: string,
  name: string,
  spec: OptionSpec<unknown>,
  env: Environment,
  variable: string,
): unknown {
  const raw = env[variable] ?? '';
  const text = 'keepsBlanks' in spec ? raw : raw.trim();
  try {
    const given = text === '' ? undefined : parseOption(spec, text);
    return given === undefined ? spec.fallback : readOption(spec, given);
  } catch (error) {
    throw refusal(where, name, `the environment variable ${variable}`, error);
  }
}

/** Options with fields, of which some have variables: these make an object, in place of what the option's own variable says. */
function addFields(
  where: string,
  table: OptionTable,
  own: Values,
  env: Environment,
  resolved: Record<string, unknown>,
  others: readonly string[],
): void {
  for (const [name, spec] of Object.entries(table)) {
    const isNamed = 'fields' in spec && others.some((other) => other.startsWith(name));
    if (!isNamed || name in own) continue;
    const variable = toEnvName(name);
    const fields: Record<string, unknown> = {};
    for (const [field, fieldSpec] of Object.entries(spec.fields ?? {})) {
      const itsVariable = `${variable}${toEnvName(field).slice('MEMPHIS'.length)}`;
      if (env[itsVariable]?.trim()) fields[field] = readVariable(where, field, fieldSpec, env, itsVariable);
    }
    if (Object.keys(fields).length === 0) continue;
    if (resolved[name] === false) {
      throw new MemphisError('INVALID_OPTION', `${where}: ${variable}=false and ${variable}_... exclude each other.`, {
        option: name,
      });
    }
    try {
      resolved[name] = readOption(spec, fields);
    } catch (error) {
      throw refusal(where, name, `what the environment variables ${variable}_... hold`, error);
    }
  }
}

/** The part of some options that belongs to a table; the rest is left out. */
export function pickOptions<Table extends OptionTable>(
  table: Table,
  options: Readonly<Record<string, unknown>>,
): Resolved<Table> {
  return Object.fromEntries(Object.keys(table).map((name) => [name, options[name]])) as Resolved<Table>;
}
