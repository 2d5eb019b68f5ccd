/**
 * Loads a bundle and invokes its function whenever its parent says so: `{ event, wanted, limitMs }`. A call that fails is
 * repeated, as whoever invokes functions does; the answer tells how long it took until the work was done.
 */

import { type Handler, makeContext } from './context.ts';

export interface Order {
  readonly event: unknown;
  /** How many messages must be handled; 0: one call that succeeds is enough. */
  readonly wanted: number;
  readonly limitMs: number;
}

export interface Answer {
  readonly ms: number;
  /** Calls that failed. */
  readonly errors: number;
  readonly isDone: boolean;
}

const PAUSE_MS = 10;
const { handler } = require(process.argv[2] ?? '') as { handler: Handler };

async function work({ event, wanted, limitMs }: Order): Promise<Answer> {
  const start = performance.now();
  const end = start + limitMs;
  let errors = 0;
  let handled = 0;
  while (performance.now() < end) {
    try {
      const answer = await handler(event, makeContext(Math.max(limitMs, 20_000)));
      handled += typeof answer === 'number' ? answer : ((answer as { acked?: number } | undefined)?.acked ?? 0);
      if (handled >= wanted) return { ms: performance.now() - start, errors, isDone: true };
    } catch {
      errors++;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return { ms: performance.now() - start, errors, isDone: false };
}

process.on('message', async (order: Order) => {
  const limit = new Promise<Answer>((resolve) => {
    setTimeout(() => resolve({ ms: order.limitMs, errors: 0, isDone: false }), order.limitMs).unref();
  });
  process.send?.(await Promise.race([work(order), limit]));
});
