/** The answer of a function to a pushed batch: outcomes to JSON and back. Pure, shared by function and poller. */

import type { Outcome } from '../model/outcome.ts';
import { nameType } from './shape.ts';

/** One message that did not succeed. AWS's own `{ itemIdentifier }` alone means retry. */
export interface BatchItemFailure {
  readonly itemIdentifier: string;
  readonly action?: 'retry' | 'deadLetter';
  /** Milliseconds until the next delivery; left out: the backoff of whoever reads the answer. */
  readonly delayMs?: number;
  readonly reason?: string;
  /** No user code has seen the message, so this delivery should not count. Only with `retry`. */
  readonly unseen?: boolean;
}

/** The partial batch response. An empty list: all succeeded. */
export interface BatchResponse {
  readonly batchItemFailures: readonly BatchItemFailure[];
}

/** What should become of a message that did not succeed; a retry without `delayMs` takes the reader's backoff. */
export type FailedItem = Exclude<Outcome, { action: 'ack' | 'retry' }> | FailedRetry;
interface FailedRetry {
  readonly action: 'retry';
  readonly delayMs?: number;
  readonly reason?: string;
}

/** What an answer means: the messages that failed, all others succeeded; or why the whole batch failed. */
export type ParsedResponse =
  | { readonly ok: true; readonly failed: ReadonlyMap<string, FailedItem> }
  | { readonly ok: false; readonly problem: string };

/** The items of an answer for some outcomes, in their order; what is acked has none. */
export function toResponse(outcomes: Iterable<readonly [id: string, outcome: Outcome]>): BatchResponse {
  const items: BatchItemFailure[] = [];
  for (const [itemIdentifier, outcome] of outcomes) {
    if (outcome.action === 'deadLetter') items.push({ itemIdentifier, ...outcome });
    if (outcome.action === 'retry') items.push({ itemIdentifier, ...outcome });
    if (outcome.action === 'giveBack') {
      const delayMs = outcome.delayMs ?? 0;
      items.push({ itemIdentifier, action: 'retry', delayMs, reason: 'not started', unseen: true });
    }
  }
  return { batchItemFailures: items };
}

/**
 * Reads an answer by the table that AWS publishes for partial batch responses: nothing, `''`, `{}`, `[]` and an
 * empty or null list mean success; an identifier that is missing, empty or not of this batch fails the whole
 * batch, since acting on the others would guess. Here the problem is named; AWS retries without a word.
 *
 * @param ids of the messages that were handed over
 * @param strict for functions that know nothing of us: numbers, texts, `true` and lists with entries are no
 *   answer and fail the batch. Without it any value but an object with `batchItemFailures` is success.
 */
export function parseResponse(
  answer: unknown,
  ids: Iterable<string>,
  { strict }: { readonly strict: boolean },
): ParsedResponse {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    const empty = answer === undefined || answer === null || answer === '' || (Array.isArray(answer) && !answer.length);
    return empty || !strict ? allWell() : refuse(`the answer is ${nameType(answer)}, not an object`);
  }
  const list = (answer as { readonly batchItemFailures?: unknown }).batchItemFailures;
  if (list === undefined || list === null) return allWell();
  if (!Array.isArray(list)) return refuse(`batchItemFailures is ${nameType(list)}, not a list`);
  return parseItems(list, new Set(ids));
}

/**
 * Reads an answer's text as it came from the invocation: strict, and text that is no JSON fails the batch.
 */
export function parseResponseText(text: string, ids: Iterable<string>): ParsedResponse {
  if (text === '') return allWell();
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return refuse('the answer is not valid JSON'); // The parser's own words quote the answer, which may hold payload.
  }
  return parseResponse(answer, ids, { strict: true });
}

function allWell(): ParsedResponse {
  return { ok: true, failed: new Map() };
}
function refuse(problem: string): ParsedResponse {
  return { ok: false, problem };
}

function parseItems(list: readonly unknown[], ids: ReadonlySet<string>): ParsedResponse {
  const failed = new Map<string, FailedItem>();
  for (const [index, item] of list.entries()) {
    const where = `batchItemFailures[${index}]`;
    if (typeof item !== 'object' || item === null) return refuse(`${where} is ${nameType(item)}, not an object`);
    const id = (item as Partial<BatchItemFailure>).itemIdentifier;
    if (typeof id !== 'string') return refuse(`${where}.itemIdentifier is ${nameType(id)}, not a text`);
    if (id === '') return refuse(`${where}.itemIdentifier is empty`);
    if (!ids.has(id)) return refuse(`${where}.itemIdentifier ${quote(id)} names no message of this batch`);
    const parsed = parseItem(item);
    if (typeof parsed === 'string') return refuse(`${where}.${parsed}`);
    if (!failed.has(id)) failed.set(id, parsed);
  }
  return { ok: true, failed };
}

function quote(id: string): string {
  return JSON.stringify(id.length > 100 ? `${id.slice(0, 100)}...` : id);
}

/** The outcome of one item, or what is wrong with it. */
function parseItem(item: object): FailedItem | string {
  const { action, delayMs, reason, unseen } = item as Readonly<Record<keyof BatchItemFailure, unknown>>;
  const isAbsent = (value: unknown): boolean => value === undefined || value === null;
  if (!isAbsent(action) && action !== 'retry' && action !== 'deadLetter') return 'action must be retry or deadLetter';
  if (!isAbsent(reason) && typeof reason !== 'string') return 'reason must be a text';
  if (!isAbsent(delayMs) && !(typeof delayMs === 'number' && Number.isFinite(delayMs) && delayMs >= 0)) {
    return 'delayMs must be a number from 0 up';
  }
  if (action === 'deadLetter') {
    return { action, reason: typeof reason === 'string' ? reason : 'the function gave no reason' };
  }
  if (unseen === true) return { action: 'giveBack', delayMs: typeof delayMs === 'number' ? delayMs : 0 };
  return {
    action: 'retry',
    ...(typeof delayMs === 'number' && { delayMs }),
    ...(typeof reason === 'string' && { reason }),
  };
}
