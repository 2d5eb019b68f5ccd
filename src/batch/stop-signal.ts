/** When the time for work of a batch is over, for who holds its messages and was called by somebody else. */

import type { Message } from '../model/message.ts';

const signals = new WeakMap<readonly Message[], AbortSignal>();

/** Notes the signal of a batch, by the list of its messages. */
export function noteSignal(messages: readonly Message[], signal: AbortSignal): void {
  signals.set(messages, signal);
}

/** Aborts with the time for work of the batch, and with what the caller gave. */
export function stopSignal(messages: readonly Message[], given: AbortSignal): AbortSignal {
  const own = signals.get(messages);
  return own === undefined || own === given ? given : AbortSignal.any([own, given]);
}
