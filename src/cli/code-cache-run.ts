/** Options of `code-cache` that have the function run: from words to invocations. */

import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { Run } from '../code-cache/program.ts';
import { describeError, MemphisError } from '../model/errors.ts';
import { UsageError } from './print.ts';

export interface RunWords {
  /** Files with events, `-` for standard input; one that stands there twice is two invocations. */
  readonly run?: readonly string[] | undefined;
  readonly handler?: string | undefined;
  readonly 'timeout-ms'?: string | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** Lambda's own limit. */
const LONGEST_MS = 900_000;

/** @returns nothing where the function is not to be run. @throws UsageError; MemphisError `INVALID_OPTION` of an event */
export async function readRun(words: RunWords): Promise<Run | undefined> {
  const { run: files = [], handler = 'handler', 'timeout-ms': timeout = String(DEFAULT_TIMEOUT_MS) } = words;
  if (files.length === 0) {
    if (words.handler === undefined && words['timeout-ms'] === undefined) return undefined;
    throw new UsageError('--handler and --timeout-ms go with --run <event>: without it nothing is run.');
  }
  const timeoutMs = Number(timeout);
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > LONGEST_MS) {
    throw new UsageError(`--timeout-ms must be a whole number from 1 to ${LONGEST_MS}.`);
  }
  const known = new Map<string, string>();
  for (const file of new Set(files)) known.set(file, await readEvent(file));
  const events = files.map((file) => known.get(file) ?? '');
  // As Lambda's own setting has it, index.handler, too.
  return { events, handler: handler.slice(handler.lastIndexOf('.') + 1), timeoutMs };
}

async function readEvent(file: string): Promise<string> {
  const name = file === '-' ? 'of standard input' : file;
  const fail = (words: string, cause: unknown) =>
    new MemphisError('INVALID_OPTION', `The event ${name} ${words}.`, { option: 'run', cause });
  let text: string;
  try {
    text = file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw fail(`cannot be read: ${describeError(error)}`, error);
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    throw fail('is no JSON', undefined); // what is wrong with it would quote it
  }
}
