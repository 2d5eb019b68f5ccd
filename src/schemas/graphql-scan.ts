/** The text of GraphQL operations -> its tokens, for precompiled schemas: bundles of functions hold no `graphql` (decision 022). */

export const NO_DOCUMENT = 'it is no document of GraphQL';

export interface Scanned {
  /** Tokens as they stand. Their first character tells their kind; numbers and escapes are looked at by who needs them. */
  readonly texts: readonly string[];
  /** Where each begins, and behind these where the text ends, or goes wrong. */
  readonly places: readonly number[];
  /** Why it goes wrong; '' where it does not. */
  readonly fault: string;
}

const isWord = (unit: number): boolean =>
  (unit > 0x60 && unit < 0x7b) || (unit > 0x40 && unit < 0x5b) || unit === 0x5f || (unit > 0x2f && unit < 0x3a);

/** A letter or `_`, and digits behind it. By units: a regular expression takes a cold start more than all the tokens of a message. */
export function isName(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (!isWord(text.charCodeAt(at))) return false;
  return text.charCodeAt(0) > 0x39;
}

export function scan(text: string, maxTokens: number): Scanned {
  const texts: string[] = [];
  const places: number[] = [];
  let fault = text.isWellFormed() ? '' : NO_DOCUMENT;
  let at = 0;
  let end = 0;
  for (; at < text.length && fault === ''; at = end) {
    const unit = text.charCodeAt(at);
    end = at + 1;
    if (' ,\n\r\t\ufeff'.includes(text[at] as string)) continue;
    if (isWord(unit) || unit === 0x2d) end = endOfWord(text, at);
    else if (unit === 0x22) end = endOfString(text, at);
    else if (unit === 0x23) {
      end = endOfLine(text, at);
      continue;
    } else if (text.startsWith('...', at)) end = at + 3;
    else if (!'{}():[]!$@=|&'.includes(text[at] as string)) end = 0;
    if (end === 0) fault = NO_DOCUMENT;
    else if (texts.push(text.slice(at, end)) > maxTokens) fault = `it has more than ${maxTokens} tokens`;
    places.push(at);
  }
  if (fault === '') places.push(text.length);
  return { texts, places, fault };
}

/** Of a name or of what may be a number. */
function endOfWord(text: string, at: number): number {
  const isNumber = !isName(text[at] as string);
  let end = at + 1;
  for (; ; end++) {
    const unit = text.charCodeAt(end);
    const isInside = unit === 0x2e || ((unit === 0x2b || unit === 0x2d) && 'eE'.includes(text[end - 1] as string));
    if (!isWord(unit) && !(isNumber && isInside)) return end;
  }
}

/** @returns 0 where it does not end */
function endOfString(text: string, at: number): number {
  if (text.startsWith('"""', at)) return endOfBlock(text, at + 3);
  for (let end = at + 1; ; end++) {
    const unit = text.charCodeAt(end);
    if (unit === 0x22) return end + 1;
    if (unit === 0x5c) end++;
    else if (Number.isNaN(unit) || unit === 0x0a || unit === 0x0d) return 0;
  }
}

function endOfBlock(text: string, from: number): number {
  let end = text.indexOf('"""', from);
  while (end > 0 && text[end - 1] === '\\') end = text.indexOf('"""', end + 3);
  return end < 0 ? 0 : end + 3;
}

function endOfLine(text: string, at: number): number {
  let end = at;
  while (end < text.length && text[end] !== '\n' && text[end] !== '\r') end++;
  return end;
}
