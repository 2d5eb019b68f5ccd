/** Producers: messages into one station or into several, each confirmed. */

import type { Given } from '../model/option-spec.ts';
import type { producerOptions } from '../model/options/produce.ts';
import type { Receipt, Written } from '../model/receipt.ts';
import type { Dispatch, ProduceOptions } from './dispatch.ts';
import type { Payload } from './payload.ts';
import { type ProduceBatchOptions, type ProduceResult, sendBatch } from './send-batch.ts';

/** Options of `createProducer`. */
export interface ProducerOptions extends Given<typeof producerOptions> {}
/** Options of a produce that does not wait. */
export type AsyncProduceOptions = ProduceOptions & { readonly async: true };
/** Options of a produce that waits. */
export type AwaitedProduceOptions = ProduceOptions & { readonly async?: false | undefined };

function first<R>(receipts: readonly R[]): R {
  return receipts[0] as R;
}
function all<R>(receipts: readonly R[]): readonly R[] {
  return receipts;
}

/** What all producers have. */
class BaseProducer {
  /** With the unique suffix, where one was asked for. */
  readonly name: string;
  /** @internal */
  protected readonly dispatch: Dispatch;

  /** @internal Use `createProducer`. */
  constructor(dispatch: Dispatch) {
    this.dispatch = dispatch;
    this.name = dispatch.name;
  }

  /**
   * Waits until everything produced so far is confirmed or has failed; each message takes its `ackWaitMs` at most.
   *
   * @throws MemphisError `NOT_ALL_STORED` for failures of `async` produces that no `onError` took; each is told once
   */
  flush(): Promise<void> {
    return this.dispatch.flush();
  }

  /** Ends this producer, after what is under way; stations and messages stay. @throws MemphisError as `flush` */
  destroy(): Promise<void> {
    return this.dispatch.destroy();
  }
}

/** A producer of one station. */
export class Producer extends BaseProducer {
  readonly station: string;

  /** @internal Use `createProducer`. */
  constructor(dispatch: Dispatch) {
    super(dispatch);
    this.station = dispatch.stations[0] ?? '';
  }

  /**
   * Stores one message and resolves when the broker has confirmed it. With `async` it resolves when the message is
   * written: what fails later goes to `onError`, and without one to `flush()`, `destroy()` or `close()`.
   *
   * @param message as the station's schema has it; without one bytes and text as they are, objects as JSON
   * @throws MemphisError `STATION_NOT_FOUND`, `PARTITION_NOT_FOUND`, `INVALID_MESSAGE`, `INVALID_OPTION`,
   * `PAYLOAD_TOO_LARGE`, `STORAGE_FULL`, `PERMISSION_DENIED`, `TIMEOUT`, `CONNECTION_LOST`, `CLOSED`; where there is a schema
   * `SCHEMA_VIOLATION`, and where it cannot be used `DEPENDENCY_MISSING`, `SCHEMA_INVALID`, `SCHEMA_NOT_FOUND`
   * @example
   * ```ts
   * const receipt = await producer.produce({ id: 1 }, { msgId: '1', partitionKey: 'customer-7' });
   * await producer.produce({ id: 2 }, { async: true });
   * ```
   */
  produce(message: Payload, options: AsyncProduceOptions): Promise<Written>;
  produce(message: Payload, options?: AwaitedProduceOptions): Promise<Receipt>;
  produce(message: Payload, options?: ProduceOptions): Promise<Receipt | Written>;
  produce(message: Payload, options?: ProduceOptions): Promise<Receipt | Written> {
    return this.dispatch.produce<Receipt | Written>(message, options, first);
  }

  /**
   * @internal As `produce` without `async`: options are checked. What can be said at once is thrown.
   *
   * @param limitMs in place of any `ackWaitMs`
   */
  store(message: Payload, options: ProduceOptions, limitMs: number): Promise<Receipt> {
    return this.dispatch.store(message, options, limitMs, first<Receipt>);
  }

  /** @internal As `produce` with `async`: `ended` rejects with a failure that no `onError` took. */
  async begin(
    message: Payload,
    options: ProduceOptions,
  ): Promise<{ readonly written: Written; readonly ended: Promise<void> }> {
    const { written, ended } = await this.dispatch.begin(message, options);
    return { written: written[0] as Written, ended };
  }

  /**
   * Stores many messages, all of them written without waiting for one another. All are checked before the first is
   * sent. What became of each is told in its place; in the order in which they were given as long as nothing had to be
   * repeated.
   *
   * @throws MemphisError with `index` for a message that cannot be sent, what `createProducer` throws: nothing was sent
   * @example
   * ```ts
   * const results = await producer.produceBatch(orders, { optionsFor: (order) => ({ msgId: order.id }) });
   * const failed = orders.filter((_, index) => !results[index]?.ok);
   * ```
   */
  produceBatch<M extends Payload>(messages: readonly M[], options?: ProduceBatchOptions<M>): Promise<ProduceResult[]>;
  /** @internal @param deadlineMs wall-clock time after which nothing more is sent */
  produceBatch<M extends Payload>(
    messages: readonly M[],
    options: ProduceBatchOptions<M> | undefined,
    deadlineMs: number,
  ): Promise<ProduceResult[]>;
  async produceBatch<M extends Payload>(
    messages: readonly M[],
    options?: ProduceBatchOptions<M>,
    deadlineMs?: number,
  ): Promise<ProduceResult[]> {
    return await sendBatch(this.dispatch, messages, options, first, deadlineMs);
  }
}

/** A producer of several stations: each message goes to all of them. */
export class MultiProducer extends BaseProducer {
  readonly stations: readonly string[];

  /** @internal Use `createProducer`. */
  constructor(dispatch: Dispatch) {
    super(dispatch);
    this.stations = dispatch.stations;
  }

  /**
   * As {@link Producer.produce}, with a receipt for each station, in the order of the stations. All is checked before
   * anything is sent.
   *
   * @throws MemphisError as there; `NOT_ALL_STORED` when stations failed: `receipts` and `failures` say which. Under the
   * same `msgId` a repeat stores what is missing and nothing twice
   */
  produce(message: Payload, options: AsyncProduceOptions): Promise<readonly Written[]>;
  produce(message: Payload, options?: AwaitedProduceOptions): Promise<readonly Receipt[]>;
  produce(message: Payload, options?: ProduceOptions): Promise<readonly (Receipt | Written)[]>;
  produce(message: Payload, options?: ProduceOptions): Promise<readonly (Receipt | Written)[]> {
    return this.dispatch.produce<readonly (Receipt | Written)[]>(message, options, all);
  }

  /** As {@link Producer.produceBatch}; a message is `ok` when all stations have it, else its error is `NOT_ALL_STORED`. */
  produceBatch<M extends Payload>(
    messages: readonly M[],
    options?: ProduceBatchOptions<M>,
  ): Promise<ProduceResult<readonly Receipt[]>[]> {
    return sendBatch(this.dispatch, messages, options, all);
  }
}
