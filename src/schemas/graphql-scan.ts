/** The text of GraphQL operations -> its tokens, for precompiled schemas: bundles of functions hold no `graphql` (decision 022). */

import { fail } from './graphql-problem.ts';

export const NO_DOCUMENT = 'it is no document of GraphQL';

/** A letter or `_`, and digits behind it. By units: a regular expression takes a cold start more than all the tokens of a message. */
export function isName(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (
      !((unit > 0x60 && unit < 0x7b) || (unit > 0x40 && unit < 0x5b) || unit === 0x5f || (unit > 0x2f && unit < 0x3a))
    )
      return false;
  }
  return text.charCodeAt(0) > 0x39;
}

/** Tokens as they stand, the last one empty, and where each begins. What is none is one that fits nowhere. */
export interface Scanned {
  readonly texts: readonly string[];
  readonly places: readonly number[];
}

/** @throws Problem where there are too many */
export function scan(text: string, maxTokens: number): Scanned {
  const texts: string[] = [];
  const places: number[] = [];
  if (!text.isWellFormed()) fail(NO_DOCUMENT, { at: 0 });
  // what means nothing; then signs, names, numbers, texts in three quotes or in one, the end. No part can be read in two ways.
  const token =
    /[ ,\n\r\t\ufeff]*(?:#[^\n\r]*[ ,\n\r\t\ufeff]*)*(?:(\.\.\.|[!$&():=@[\]{|}]|[A-Z_a-z]\w*|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+-]?\d+)?(?![\w.])|"""[^"\\]*(?:(?:\\"""|\\(?!""")|"(?!""))[^"\\]*)*"""|"(?!"")[^"\\\n\r]*(?:\\[^\n\r][^"\\\n\r]*)*"|$)|.)/gs;
  for (const { 0: all, 1: found = NO_TOKEN, index } of text.matchAll(token)) {
    const at = index + all.length - found.length;
    places.push(at);
    if (texts.push(found) > maxTokens && found !== '') fail(`it has more than ${maxTokens} tokens`, { at });
  }
  return { texts, places };
}

const NO_TOKEN = '\\';
