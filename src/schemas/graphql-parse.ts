/** The text of GraphQL operations, token by token. Definitions of types are no operations. */

import type { Reading } from './graphql-document.ts';
import { fail } from './graphql-problem.ts';
import { isName, NO_DOCUMENT } from './graphql-scan.ts';
import { keyOfString } from './graphql-string.ts';

/** What comes next; '' at the end. */
export function next({ texts, index }: Reading): string {
  return texts[index] ?? '';
}
/** Where that begins. */
export function here({ places, index }: Reading): number {
  return places[index] ?? 0;
}
/** @throws Problem */
export function refuse(reading: Reading): never {
  return fail(NO_DOCUMENT, { at: here(reading) });
}

/** Over the next token, where that is the one. */
export function took(reading: Reading, text: string): boolean {
  const isIt = next(reading) === text;
  if (isIt) reading.index++;
  return isIt;
}

/** @throws Problem where another token comes next */
export function need(reading: Reading, text: string): void {
  if (!took(reading, text)) refuse(reading);
}

export function takeName(reading: Reading): string {
  const text = next(reading);
  if (!isName(text)) refuse(reading);
  reading.index++;
  return text;
}

/** @returns the same for texts that say the same */
export function takeText(reading: Reading): string {
  const key = keyOfString(next(reading)) ?? refuse(reading);
  reading.index++;
  return key;
}

/** Which nobody reads. */
export function skipDescription(reading: Reading): void {
  if (next(reading).startsWith('"')) takeText(reading);
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
