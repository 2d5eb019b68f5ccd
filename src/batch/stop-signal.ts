/** When the time for work of a batch is over, for who holds its messages and was called by somebody else. */

import type { Message } from '../model/message.ts';

/** Who has a signal; mostly nobody asks for it. */
interface Signalled {
  readonly signal: AbortSignal;
}

const noted = new WeakMap<readonly Message[], Signalled>();

/** Notes who has the signal of a batch, by the list of its messages. */
export function noteSignal(messages: readonly Message[], of: Signalled): void {
  noted.set(messages, of);
}

/** Aborts with the time for work of the batch, and with what the caller gave. */
export function stopSignal(messages: readonly Message[], given: AbortSignal): AbortSignal {
  const own = noted.get(messages)?.signal;
  return own === undefined || own === given ? given : AbortSignal.any([own, given]);
}
