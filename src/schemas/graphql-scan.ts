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
  // what means nothing; signs, names, numbers, the begin of a text. None holds a choice that repeats: the engine would note each
  const piece =
    /[ ,\n\r\t\ufeff]+|#[^\n\r]*|\.\.\.|[!$&():=@[\]{|}]|[A-Z_a-z]\w*|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+-]?\d+)?(?![\w.])|"/y;
  let found = '';
  for (let at = 0; at < text.length && found !== NO_TOKEN; at += found.length) {
    piece.lastIndex = at;
    [found] = piece.exec(text) ?? [NO_TOKEN];
    if (' ,\n\r\t\ufeff#'.includes(found[0] as string)) continue;
    if (found === '"') found = text.slice(at, endOfText(text, at)) || NO_TOKEN;
    if (texts.push(found) > maxTokens) fail(`it has more than ${maxTokens} tokens`, { at });
    places.push(at);
  }
  texts.push('');
  places.push(text.length);
  return { texts, places };
}

const NO_TOKEN = '\\';

/** @returns the same place where it does not end */
function endOfText(text: string, at: number): number {
  const isBlock = text.startsWith('"""', at);
  const mark = isBlock ? /\\?"""/g : /\\.|["\n\r]/g;
  mark.lastIndex = isBlock ? at + 3 : at + 1;
  let found: string | undefined;
  do found = mark.exec(text)?.[0];
  while (found?.startsWith('\\'));
  return found?.startsWith('"') ? mark.lastIndex : at;
}
