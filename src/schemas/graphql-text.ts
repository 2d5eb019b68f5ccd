/** Messages of GraphQL: the text of operations, checked by whoever knows the schema. */

import { isRecord } from '../model/fields.ts';
import type { SchemaIssue } from '../model/schema-issue.ts';
import { bytesOf } from './json-text.ts';
import { readUtf8, writeUtf8 } from './utf8.ts';
import { violation, wrongInput } from './violation.ts';

/** More of them could keep the rules of validation busy for seconds. */
export const MAX_TOKENS = 4_000;

/** What is wrong with a text. */
export type Find = (text: string) => readonly SchemaIssue[];

/**
 * @param name the schema's, for error texts
 * @param print a parsed document that does not hold its text as text
 * @throws MemphisError `INVALID_MESSAGE`, `SCHEMA_VIOLATION`
 */
export function writeGraphql(
  name: string,
  find: Find,
  print: (document: object) => string,
  message: unknown,
): Uint8Array {
  const bytes = bytesOf(message);
  const text = checked(name, find, bytes === undefined ? toText(message, print) : read(name, bytes));
  return bytes ?? writeUtf8(text);
}

/** What is in a message. @throws MemphisError `SCHEMA_VIOLATION` */
export function readGraphql(name: string, find: Find, data: Uint8Array): string {
  const text = read(name, data);
  return checked(name, find, text.startsWith('"') ? unquoted(text) : text);
}

function checked(name: string, find: Find, text: string): string {
  const issues = find(text);
  if (issues.length > 0) throw violation(name, issues);
  return text;
}

function read(name: string, data: Uint8Array): string {
  try {
    return readUtf8(data);
  } catch {
    throw violation(name, [{ path: [], message: 'it is not text in UTF-8' }]);
  }
}

/** The Go SDK writes text as JSON (memphis-wire 7.3); no document is a text in quotes, so nothing else is meant. */
function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

function toText(message: unknown, print: (document: object) => string): string {
  if (typeof message === 'string') return message;
  if (!isRecord(message) || message.kind !== 'Document') {
    throw wrongInput('A message of GraphQL must be text, bytes or a parsed document.');
  }
  const { loc } = message as { readonly loc?: { readonly source?: { readonly body?: unknown } } };
  if (typeof loc?.source?.body === 'string') return loc.source.body;
  try {
    return print(message);
  } catch (error) {
    throw wrongInput('The document cannot be printed; see the cause.', error);
  }
}
