/** What the demo sends: orders over HTTP, invoices through the client. Their data decides what becomes of them. */

import type { Client } from 'memphis-serverless';
import type { Invoice } from '../handlers/mailing.ts';
import type { Order } from '../handlers/order.ts';

const CONCURRENT_REQUESTS = 8;
/** After this a request is given up. */
const GIVE_UP_MS = 60_000;
const MAX_WAIT_MS = 1_000;

/** What became of the sending; ids are those of orders or invoices. */
export interface Sent {
  readonly attempted: Set<string>;
  /** Answered as stored. */
  readonly stored: Set<string>;
  /** Answered with 422. */
  readonly refused: Set<string>;
  /** Neither, for the reason given. */
  readonly failed: Map<string, string>;
  /** Requests that had to be repeated. */
  repeats: number;
  /** Of these, how many the broker had stored at the first time. */
  recognised: number;
}

export const makeSent = (): Sent => ({
  attempted: new Set(),
  stored: new Set(),
  refused: new Set(),
  failed: new Map(),
  repeats: 0,
  recognised: 0,
});

/** Of ten orders one comes back twice, one comes back once, and one can never be billed. */
export function makeOrder(index: number): Order {
  const never = index % 20 === 9 ? 'tok_stolen' : 'tok_no_answer';
  const card = { 5: 'tok_busy_twice', 7: 'tok_no_answer_once', 9: never }[index % 10] ?? 'tok_visa';
  const customer = `customer-${index % 17}@example.com`;
  return { id: `order-${index + 1}`, customer, amountCents: 100 + (index % 50) * 99, card };
}

/** Of ten invoices one comes back once, and one can never be mailed. */
export function makeInvoice(index: number): Invoice {
  const domain = { 4: 'slow.example', 8: 'nowhere.invalid' }[index % 10] ?? 'example.com';
  return { id: `invoice-${index + 1}`, to: `customer-${index % 17}@${domain}` };
}

/** An order without a customer, which is refused. */
export const invalidOrder = { id: 'order-without-customer', amountCents: 100, card: 'tok_visa' };

async function concurrently<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });

/** Whether the same request may succeed later. */
const isPassing = (status: number): boolean => status === 429 || status === 502 || status === 503 || status === 504;

/** Posts orders as a good client does: bounded, and repeated under the same key until there is an answer. */
export async function postOrders(
  url: string,
  orders: readonly { readonly id: string }[],
  sent: Sent,
  options: { readonly signal: AbortSignal; onAnswer(answered: number): void },
): Promise<void> {
  const { signal } = options;
  await concurrently(orders, CONCURRENT_REQUESTS, async (order) => {
    const giveUpAt = Date.now() + GIVE_UP_MS;
    sent.attempted.add(order.id);
    for (let attempt = 1; ; attempt++) {
      const answer = await post(url, order, signal);
      if (answer.status === 202) {
        sent.stored.add(order.id);
        if (answer.duplicate) sent.recognised += 1;
      } else if (answer.status === 422) sent.refused.add(order.id);
      else if (isPassing(answer.status) && Date.now() < giveUpAt) {
        sent.repeats += 1;
        await wait(Math.min(answer.retryAfterMs ?? 50 * 2 ** attempt, MAX_WAIT_MS), signal);
        continue;
      } else sent.failed.set(order.id, `answered with ${answer.status || 'nothing'} after ${attempt} attempts`);
      return options.onAnswer(sent.stored.size + sent.refused.size + sent.failed.size);
    }
  });
}

interface Answer {
  readonly status: number;
  readonly duplicate?: boolean;
  readonly retryAfterMs?: number;
}

async function post(url: string, order: { readonly id: string }, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': order.id },
      body: JSON.stringify(order),
      signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
    });
    const text = await response.text();
    const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
    return {
      status: response.status,
      duplicate: response.status === 202 && (JSON.parse(text) as { duplicate?: boolean }).duplicate === true,
      ...(Number.isFinite(retryAfter) ? { retryAfterMs: retryAfter * 1_000 } : {}),
    };
  } catch (error) {
    signal.throwIfAborted();
    // no answer: the connection broke, or it took too long
    if (error instanceof SyntaxError) throw error;
    return { status: 504 };
  }
}

/** Produces invoices as a long-running service does, through the client. */
export async function produceInvoices(
  memphis: Client,
  invoices: readonly Invoice[],
  sent: Sent,
  signal: AbortSignal,
): Promise<void> {
  const producer = await memphis.createProducer('invoices', { name: 'bookkeeping' });
  await concurrently(invoices, CONCURRENT_REQUESTS, async (invoice) => {
    const giveUpAt = Date.now() + GIVE_UP_MS;
    sent.attempted.add(invoice.id);
    for (;;) {
      signal.throwIfAborted();
      try {
        const receipt = await producer.produce(invoice, { msgId: invoice.id });
        sent.stored.add(invoice.id);
        if (receipt.duplicate) sent.recognised += 1;
        return;
      } catch (error) {
        if (Date.now() >= giveUpAt) {
          sent.failed.set(invoice.id, error instanceof Error ? error.message : String(error));
          return;
        }
        sent.repeats += 1;
        await wait(200, signal);
      }
    }
  });
}
