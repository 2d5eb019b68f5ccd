/** The text of GraphQL operations, token by token. Definitions of types are no operations. */

import type { Reading } from './graphql-document.ts';
import { fail } from './graphql-problem.ts';
import { isName, NO_DOCUMENT } from './graphql-scan.ts';
import { keyOfString } from './graphql-string.ts';

/** @throws Problem */
export function refuse(reading: Reading): never {
  return fail(NO_DOCUMENT, reading);
}

/** Over the token that comes next. @returns it */
export function take(reading: Reading): string {
  const { texts, places, next } = reading;
  reading.index++;
  reading.next = texts[reading.index] ?? '';
  reading.at = places[reading.index] ?? 0;
  return next;
}

/** Over the next token, where that is the one. */
export function took(reading: Reading, text: string): boolean {
  const isIt = reading.next === text;
  if (isIt) take(reading);
  return isIt;
}

/** @throws Problem where another token comes next */
export function need(reading: Reading, text: string): void {
  if (!took(reading, text)) refuse(reading);
}

export function takeName(reading: Reading): string {
  return isName(reading.next) ? take(reading) : refuse(reading);
}

/** @returns the same for texts that say the same */
export function takeText(reading: Reading): string {
  const key = keyOfString(reading.next) ?? refuse(reading);
  take(reading);
  return key;
}

/** Which nobody reads. */
export function skipDescription(reading: Reading): void {
  if (reading.next.startsWith('"')) takeText(reading);
}

/** `[Int!]!` */
export function takeType(reading: Reading): string {
  let written: string;
  if (took(reading, '[')) {
    written = `[${takeType(reading)}]`;
    need(reading, ']');
  } else written = takeName(reading);
  return took(reading, '!') ? `${written}!` : written;
}
