/**
 * A function's way out to stations: the client's side that it needs, connected at first use, kept for the next
 * invocation. Whatever is given up goes no further: no message leaves after its limit.
 */

import type { ProduceOptions } from '../client/dispatch.ts';
import type { FetchMessagesOptions } from '../client/fetcher.ts';
import type { BindingArgument, FetchLimit } from '../client/fetching.ts';
import type { Payload } from '../client/payload.ts';
import type { Producer, ProducerOptions } from '../client/producer.ts';
import type { ProduceBatchOptions, ProduceResult } from '../client/send-batch.ts';
import type { Session } from '../client/session.ts';
import { LONGEST_TIMER_MS, remainingTimeMs } from '../model/deadline.ts';
import { isMemphisError, MemphisError } from '../model/errors.ts';
import type { Message } from '../model/message.ts';
import type { Resolved } from '../model/option-spec.ts';
import type { connectOptions } from '../model/options/connect.ts';
import type { Receipt, Written } from '../model/receipt.ts';
import type { SchemaReader } from '../model/schema-reader.ts';
import { checkName } from '../model/station.ts';

/** What is used of a `Producer`. */
export interface ProducerSide extends Pick<Producer, 'station' | 'name'> {
  store(message: Payload, options: ProduceOptions, limitMs: number): Promise<Receipt>;
  begin(
    message: Payload,
    options: ProduceOptions,
  ): Promise<{ readonly written: Written; readonly ended: Promise<void> }>;
  produceBatch<M extends Payload>(
    messages: readonly M[],
    options: ProduceBatchOptions<M> | undefined,
    deadlineMs: number,
  ): Promise<ProduceResult[]>;
}

/** What is used of a `ProducingClient`. */
export interface ProducingSide {
  readonly session: { broker(options?: { readonly deadlineMs?: number }): Promise<unknown> } & Pick<Session, 'warm'>;
  createProducer(station: string, options: ProducerOptions | undefined, isLazy: boolean): Promise<ProducerSide>;
}

/** What is used of a `DataClient`. */
export interface DataSide extends ProducingSide {
  isConnected(): boolean;
  fetchMessages<T = unknown>(
    source: string | BindingArgument,
    options: FetchMessagesOptions | undefined,
    limit: FetchLimit,
  ): Promise<Message<T>[]>;
}

/** Makes one without I/O to the broker. Tests hand in their own. */
export type LoadSide<S extends ProducingSide> = (settings: Resolved<typeof connectOptions>) => Promise<S>;
export type LoadDataSide = LoadSide<DataSide>;

/** Where messages go, and who they are from. */
export interface Destination {
  readonly station: string;
  readonly name: string;
  /** One suffix for the life of the process. */
  readonly genUniqueSuffix?: boolean;
  /** A codec for the station's schema, or a validator in its place. */
  readonly schema?: SchemaReader | undefined;
}

/** Kept back of an invocation's time, to answer and return. */
const RESERVE_MS = 500;
/** A publish ends by itself at its limit; this much later it is to be given up, whatever holds it. Less than the reserve. */
export const GRACE_MS = 300;
/** With less time left, nothing is dialled anew. */
const WORTH_A_DIAL_MS = 100;
/** What `ackWaitMs` may be, for a batch outside of any invocation. */
const LONGEST_ACK_WAIT_MS = 86_400_000;

/** The time that producing may take: what was asked for, within what the invocation has left. May be below 0. */
export function produceLimitMs(context: unknown, ackWaitMs: number): number {
  return Math.min(ackWaitMs, remainingTimeMs(context) - RESERVE_MS);
}

/** A producer that is there, or is being opened. */
interface Opening {
  /** Its station was not looked up. */
  readonly isLazy: boolean;
  /** Wall-clock time that it has. */
  readonly untilMs: number;
  readonly opened: Promise<ProducerSide>;
  /** What that came to. */
  side?: ProducerSide;
}

export class Outlet<S extends ProducingSide = ProducingSide> {
  readonly #load: () => Promise<S>;
  #side: Promise<S> | undefined;
  readonly #producers = new Map<string, Opening>();
  /** Those that are there: destinations are asked for with each message. */
  #ready = new WeakMap<Destination, ProducerSide>();
  /** Messages whose producer is being opened: later ones do not overtake them. */
  #opening = 0;
  /** Each has a number in the names of producers: validators have no text. */
  readonly #schemas: (SchemaReader | undefined)[] = [undefined];

  constructor(load: () => Promise<S>) {
    this.#load = load;
  }

  /** The data side. A failed load is forgotten. @throws MemphisError `INVALID_OPTION` */
  side(): Promise<S> {
    this.#side ??= this.#load().catch((error: unknown) => {
      this.#side = undefined;
      throw error;
    });
    return this.#side;
  }

  /**
   * A producer.
   *
   * @param isLazy its station is looked up with its first message
   * @throws MemphisError `INVALID_NAME`, `CONNECT_FAILED` when the limit comes first, and what connecting and looking up throw
   */
  async producer(to: Destination, limitMs: number, isLazy = false): Promise<ProducerSide> {
    const key = this.#keyOf(to);
    const untilMs = Date.now() + limitMs;
    let producer = this.#producers.get(key);
    if (producer === undefined || (producer.isLazy && !isLazy)) {
      producer = { isLazy, untilMs, opened: this.#open(to, untilMs, isLazy) };
      this.#producers.set(key, producer);
    }
    try {
      producer.side ??= await within(producer.opened, limitMs, () => unreachable(limitMs));
      return producer.side;
    } catch (error) {
      if (this.#producers.get(key) === producer) this.#producers.delete(key);
      // somebody else's, who had less time; not where neither has a limit
      const leftMs = untilMs - Math.max(producer.untilMs, Date.now());
      const isWorthIt = leftMs >= WORTH_A_DIAL_MS && isMemphisError(error, 'CONNECT_FAILED');
      if (!isWorthIt) throw error;
      return await this.producer(to, leftMs, isLazy);
    }
  }

  /** One that is there for a destination that was not asked for before. @throws MemphisError `INVALID_NAME` */
  #find(to: Destination): ProducerSide | undefined {
    const side = this.#producers.get(this.#keyOf(to))?.side;
    if (side !== undefined) this.#ready.set(to, side);
    return side;
  }

  /** @throws MemphisError `INVALID_NAME` */
  #keyOf(to: Destination): string {
    const { name, schema, genUniqueSuffix = false } = to;
    if (!this.#schemas.includes(schema)) this.#schemas.push(schema);
    return JSON.stringify([checkName('station', to.station), name, genUniqueSuffix, this.#schemas.indexOf(schema)]);
  }

  /**
   * Stores one message.
   *
   * @param options checked; without `async`
   * @param limitMs for all of it, the dial included
   * @throws MemphisError what `Producer.produce` throws; `CONNECT_FAILED` when nothing was sent by the limit, `TIMEOUT`
   * when something was
   */
  store(to: Destination, message: Payload, options: ProduceOptions, limitMs: number): Promise<Receipt> {
    return this.#send(to, limitMs, (producer, leftMs) => producer.store(message, options, leftMs));
  }

  /** Writes one message; `ended` rejects with a failure that no `onError` took. @throws MemphisError as `store` */
  begin(
    to: Destination,
    message: Payload,
    options: ProduceOptions,
    limitMs: number,
  ): Promise<{ readonly written: Written; readonly ended: Promise<void> }> {
    return this.#send(to, limitMs, (producer, ackWaitMs) => producer.begin(message, { ...options, ackWaitMs }));
  }

  /**
   * Stores many messages; what the limit does not leave time for has its failure in its result.
   *
   * @param ackWaitMs for each message, within the limit
   */
  produceBatch<M extends Payload>(
    to: Destination,
    messages: readonly M[],
    options: ProduceBatchOptions<M>,
    { limitMs, ackWaitMs }: { readonly limitMs: number; readonly ackWaitMs: number },
  ): Promise<ProduceResult[]> {
    return this.#send(to, limitMs, (producer, leftMs) =>
      producer.produceBatch(messages, { ...options, ackWaitMs: Math.min(ackWaitMs, leftMs) }, Date.now() + leftMs),
    );
  }

  /** Runs something with a producer, both within the limit; at once where the producer is there. */
  #send<T>(to: Destination, limitMs: number, run: (producer: ProducerSide, leftMs: number) => Promise<T>): Promise<T> {
    if (limitMs <= 0) {
      throw new MemphisError('TIMEOUT', 'The invocation has no time left to produce; nothing was sent.');
    }
    const ready = this.#ready.get(to) ?? this.#find(to);
    return ready === undefined || this.#opening > 0
      ? this.#openAndSend(to, limitMs, run)
      : run(ready, ackWait(limitMs));
  }

  async #openAndSend<T>(
    to: Destination,
    limitMs: number,
    run: (producer: ProducerSide, leftMs: number) => Promise<T>,
  ): Promise<T> {
    const deadlineMs = Date.now() + limitMs;
    let running: Promise<T>;
    this.#opening++;
    try {
      const producer = await this.producer(to, limitMs, true);
      const leftMs = deadlineMs - Date.now();
      if (leftMs < 1) throw unreachable(limitMs);
      running = run(producer, ackWait(leftMs));
    } finally {
      this.#opening--;
    }
    return await running;
  }

  /** What looked a station up that is gone stands no more: look again, within the next one's limit. */
  note(error: unknown): void {
    if (!isMemphisError(error, 'STATION_NOT_FOUND')) return;
    this.#producers.clear();
    this.#ready = new WeakMap();
  }

  async #open(to: Destination, deadlineMs: number, isLazy: boolean): Promise<ProducerSide> {
    const { station, name, genUniqueSuffix, schema } = to;
    const side = await this.side();
    await side.session.broker({ deadlineMs });
    const options = { name, schema, ...(genUniqueSuffix ? { genUniqueSuffix } : {}) };
    return await side.createProducer(station, options, isLazy);
  }
}

function ackWait(leftMs: number): number {
  return Math.min(Math.max(1, Math.floor(leftMs)), LONGEST_ACK_WAIT_MS);
}

function unreachable(limitMs: number): MemphisError {
  return new MemphisError(
    'CONNECT_FAILED',
    `The broker did not answer within ${Math.round(limitMs)} ms; nothing was sent.`,
  );
}

/** What is given up when the broker's word does not come: it may be stored. */
export function unconfirmed(station: string, limitMs: number): MemphisError {
  return new MemphisError(
    'TIMEOUT',
    `Station ${station} confirmed nothing within ${Math.round(limitMs)} ms. The message may be stored; produce it again ` +
      'under the same message id.',
    { station },
  );
}

/** The outcome of some work, or `late` when its time is up first. Leaves no timer; work given up may reject unheard. */
function within<T>(work: Promise<T>, limitMs: number, late: () => MemphisError): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), Math.min(limitMs, LONGEST_TIMER_MS));
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
