/**
 * A function's way out to stations: the data side of the client, loaded and connected at first use, kept for the next
 * invocation, each step held to a limit. Whatever is given up goes no further: no message leaves after its limit.
 */

import type { FetchMessagesOptions } from '../client/data.ts';
import type { Payload } from '../client/payload.ts';
import type { ProduceOptions, ProducerOptions } from '../client/producer.ts';
import type { Session } from '../client/session.ts';
import type { Receipt } from '../model/broker.ts';
import { remainingTimeMs } from '../model/deadline.ts';
import { isMemphisError, MemphisError } from '../model/errors.ts';
import type { Message } from '../model/message.ts';
import type { connectOptions, Resolved } from '../model/options.ts';

/** What is used of a `Producer`. */
export interface ProducerSide {
  readonly station: string;
  readonly name: string;
  produce(message: Payload, options?: ProduceOptions): Promise<Receipt>;
}

/** What is used of a `DataClient`. */
export interface DataSide {
  readonly session: { broker(options?: { readonly deadlineMs?: number }): Promise<unknown> } & Pick<Session, 'warm'>;
  isConnected(): boolean;
  createProducer(station: string, options?: ProducerOptions): Promise<ProducerSide>;
  fetchMessages<T = unknown>(station: string, options?: FetchMessagesOptions): Promise<Message<T>[]>;
}

/** Makes a data side without I/O to the broker. Tests hand in their own. */
export type LoadDataSide = (settings: Resolved<typeof connectOptions>) => Promise<DataSide>;

/** The client's own data side over the session that functions of this process share; evaluated on first use. */
export const loadDataSide: LoadDataSide = async (settings) => {
  const [{ sharedSession }, { DataClient }] = await Promise.all([
    import('../client/session.ts'),
    import('../client/data.ts'),
  ]);
  return new DataClient(sharedSession(settings));
};

/** Kept back of an invocation's time, to answer and return. */
const RESERVE_MS = 500;
/** A publish ends by itself at its limit; this much later it is given up, whatever holds it. Less than the reserve. */
const GRACE_MS = 300;

/** The time that producing may take: what was asked for, within what the invocation has left. May be below 0. */
export function produceLimitMs(context: unknown, ackWaitMs: number): number {
  return Math.min(ackWaitMs, remainingTimeMs(context) - RESERVE_MS);
}

export class Outlet {
  readonly #load: () => Promise<DataSide>;
  #side: Promise<DataSide> | undefined;
  readonly #producers = new Map<string, Promise<ProducerSide>>();

  constructor(load: () => Promise<DataSide>) {
    this.#load = load;
  }

  /** The data side. A failed load is forgotten. @throws MemphisError `INVALID_OPTION` */
  side(): Promise<DataSide> {
    this.#side ??= this.#load().catch((error: unknown) => {
      this.#side = undefined;
      throw error;
    });
    return this.#side;
  }

  /**
   * A producer, its station looked up.
   *
   * @throws MemphisError `CONNECT_FAILED` when the limit comes first, and what connecting and looking up throw
   */
  async producer(station: string, name: string, limitMs: number): Promise<ProducerSide> {
    const key = JSON.stringify([station, name]);
    let producer = this.#producers.get(key);
    if (producer === undefined) {
      producer = this.#open(station, name, Date.now() + limitMs);
      this.#producers.set(key, producer);
    }
    try {
      return await within(producer, limitMs, () => unreachable(limitMs));
    } catch (error) {
      this.#forget(key, producer);
      throw error;
    }
  }

  /**
   * Stores one message.
   *
   * @param limitMs for all of it, the dial included
   * @throws MemphisError what `Producer.produce` throws; `CONNECT_FAILED` when nothing was sent by the limit, `TIMEOUT`
   * when something was
   */
  async produce(
    to: { readonly station: string; readonly name: string },
    message: Payload,
    options: Omit<ProduceOptions, 'ackWaitMs'>,
    limitMs: number,
  ): Promise<Receipt> {
    if (limitMs <= 0)
      throw new MemphisError('TIMEOUT', 'The invocation has no time left to produce; nothing was sent.');
    const deadlineMs = Date.now() + limitMs;
    const producer = await this.producer(to.station, to.name, limitMs);
    const ackWaitMs = Math.floor(deadlineMs - Date.now());
    if (ackWaitMs < 1) throw unreachable(limitMs);
    try {
      const stored = producer.produce(message, { ...options, ackWaitMs });
      return await within(stored, ackWaitMs + GRACE_MS, () => unconfirmed(producer.station, limitMs));
    } catch (error) {
      // what looked the station up stands no more: look again, within the next one's limit
      if (isMemphisError(error, 'STATION_NOT_FOUND')) this.#producers.clear();
      throw error;
    }
  }

  async #open(station: string, name: string, deadlineMs: number): Promise<ProducerSide> {
    const side = await this.side();
    await side.session.broker({ deadlineMs });
    return await side.createProducer(station, { name });
  }

  #forget(key: string, producer: Promise<ProducerSide>): void {
    if (this.#producers.get(key) === producer) this.#producers.delete(key);
  }
}

const unreachable = (limitMs: number): MemphisError =>
  new MemphisError('CONNECT_FAILED', `The broker did not answer within ${Math.round(limitMs)} ms; nothing was sent.`);

const unconfirmed = (station: string, limitMs: number): MemphisError =>
  new MemphisError(
    'TIMEOUT',
    `Station ${station} confirmed nothing within ${Math.round(limitMs)} ms. The message may be stored; produce it again ` +
      'under the same message id.',
    { station },
  );

/** The outcome of some work, or `late` when its time is up first. Leaves no timer; work given up may reject unheard. */
export async function within<T>(work: Promise<T>, limitMs: number, late: () => MemphisError): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const alarm = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), Math.min(limitMs, 2_147_483_647));
  });
  try {
    return await Promise.race([work, alarm]);
  } finally {
    clearTimeout(timer);
  }
}
