/** Where a reader reads: a station of ours, or a stream that exists already and whose settings are never changed. Pure. */

import { MemphisError } from './errors.ts';
import { badName, checkName } from './station.ts';

/** A stream of others, in place of a station. */
export interface StreamBinding {
  readonly stream: string;
  /** Which of its messages; left out: all, or what the group's durable says. */
  readonly filterSubject?: string;
}

/** Where to read, checked. */
export interface Source {
  /** The station's name in lower case; of a binding the stream's name as it is. */
  readonly station: string;
  readonly group: string;
  readonly binding?: StreamBinding;
}

/** What callers give: a station, or a stream and perhaps a filter; and a group. */
export interface GivenSource {
  readonly station?: string | undefined;
  readonly stream?: string | undefined;
  readonly filterSubject?: string | undefined;
  readonly group?: string | undefined;
}

function invalid(option: string, message: string): MemphisError {
  return new MemphisError('INVALID_OPTION', message, { option });
}

/**
 * Checks where a reader is to read.
 *
 * @param where what is being called, for the error text
 * @param hint stands behind the name of what is missing, for example which variable may hold it
 * @throws MemphisError `INVALID_OPTION` for nothing, for a station and a stream together, and for a filter without a
 * stream; `INVALID_NAME`
 */
export function resolveSource(where: string, given: GivenSource, hint: (option: string) => string = () => ''): Source {
  const { station, stream, filterSubject, group } = given;
  if (stream !== undefined || filterSubject !== undefined || station === undefined || group === undefined) {
    return resolveBinding(where, given, hint);
  }
  return { station: checkName('station', station), group: checkName('group', group) };
}

/** A stream of others, or what is missing. */
function resolveBinding(where: string, given: GivenSource, hint: (option: string) => string): Source {
  const { station, stream, filterSubject, group } = given;
  if (station !== undefined && stream !== undefined) {
    throw invalid('stream', `${where}: give either station or stream, not both.`);
  }
  if (filterSubject !== undefined && stream === undefined) {
    throw invalid('filterSubject', `${where}: filterSubject needs the option stream.`);
  }
  if (stream === undefined && station === undefined) {
    throw invalid('station', `${where}: the option station (or stream) is missing${hint('station')}.`);
  }
  if (group === undefined || stream === undefined) {
    throw invalid('group', `${where}: the option group is missing${hint('group')}.`);
  }
  if (filterSubject !== undefined) checkSubject(where, filterSubject);
  return {
    station: checkToken('stream', stream),
    group: checkToken('group', group),
    binding: { stream, ...(filterSubject === undefined ? {} : { filterSubject }) },
  };
}

/** Where a group begins that does not exist yet. */
export type StartPosition =
  /** From this sequence on, in each partition. */
  | { readonly sequence: number }
  /** The last so many of each partition; 0: what comes from now on. */
  | { readonly lastMessages: number };

/**
 * Where a group begins, by the two options of the Memphis SDKs; nothing where neither says anything.
 *
 * @throws MemphisError `INVALID_OPTION` for both
 */
export function toStart(where: string, sequence: number, lastMessages: number): StartPosition | undefined {
  return sequence > 1 || lastMessages >= 0 ? startOf(where, sequence, lastMessages) : undefined;
}

function startOf(where: string, sequence: number, lastMessages: number): StartPosition {
  if (lastMessages < 0) return { sequence };
  if (sequence <= 1) return { lastMessages };
  throw invalid('lastMessages', `${where}: give either startConsumeFromSequence or lastMessages, not both.`);
}

/** Names on streams of others are what their owners chose: only what the protocol cannot carry is refused. */
export function checkToken(what: 'stream' | 'group', name: string): string {
  const refuse = (why: string): never => {
    throw badName(what, name, why);
  };
  if (name === '') refuse('is empty');
  if (name.length > 255) refuse('is longer than 255 characters');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\s.*>/\\\u0000-\u001f\u007f]/.test(name)) refuse("must not hold blanks, '.', '*', '>', '/' or '\\'");
  return name;
}

function checkSubject(where: string, subject: string): void {
  const tokens = subject.split('.');
  const isSound = tokens.every(
    (token, index) =>
      token !== '' &&
      !/\s/.test(token) &&
      (token === '*' || !token.includes('*')) &&
      (token === '>' ? index === tokens.length - 1 : !token.includes('>')),
  );
  if (!isSound) {
    throw invalid(
      'filterSubject',
      `${where}: filterSubject must be a subject such as orders.eu.> (no blanks, no empty part, '>' only at the end).`,
    );
  }
}
