/** What a function produces with: `produce` for its station and the data side of the client, for one invocation. */

import type { ProduceOptions } from '../client/dispatch.ts';
import type { FetchMessagesOptions } from '../client/fetcher.ts';
import type { BindingArgument } from '../client/fetching.ts';
import type { Payload } from '../client/payload.ts';
import type { AsyncProduceOptions, AwaitedProduceOptions } from '../client/producer.ts';
import type { ProduceBatchOptions, ProduceResult } from '../client/send-batch.ts';
import { NO_LIMIT, remainingTimeMs, settleLimit } from '../model/deadline.ts';
import { MemphisError } from '../model/errors.ts';
import type { Message } from '../model/message.ts';
import type { Resolved } from '../model/option-spec.ts';
import { type OnProduceError, produceBatchOptions, produceOptions, producerOptions } from '../model/options/produce.ts';
import type { producerFunctionOptions } from '../model/options/producer-function.ts';
import type { Receipt, Written } from '../model/receipt.ts';
import { checkOptions } from '../model/resolve-options.ts';
import type { SchemaReader } from '../model/schema-reader.ts';
import { type DataSide, type Destination, GRACE_MS, type Outlet, produceLimitMs, unconfirmed } from './outlet.ts';
import type { Task, UnderWay } from './under-way.ts';

/** Stores one message; see `context.produce`. */
export interface Produce<Args extends readonly unknown[]> {
  (...given: [...Args, message: Payload, options: AsyncProduceOptions]): Promise<Written>;
  (...given: [...Args, message: Payload, options?: AwaitedProduceOptions]): Promise<Receipt>;
  (...given: [...Args, message: Payload, options?: ProduceOptions]): Promise<Receipt | Written>;
}

/** A producer of one invocation. */
export interface FunctionProducer {
  readonly station: string;
  /** With the unique suffix, where one was asked for. */
  readonly name: string;
  /** See `context.produce`. */
  readonly produce: Produce<[]>;
  /** See `context.memphis.produceBatch`. */
  produceBatch<M extends Payload>(messages: readonly M[], options?: ProduceBatchOptions<M>): Promise<ProduceResult[]>;
}

/** Options of a producer of one invocation. Left out: those of the wrapper. */
export interface FunctionProducerOptions {
  readonly name?: string;
  /** One suffix for the life of the process, so that an environment is one producer. */
  readonly genUniqueSuffix?: boolean;
  readonly ackWaitMs?: number;
  readonly onError?: OnProduceError;
  /** A codec for the station's schema, or a validator in its place. Left out: the codecs that were imported. */
  readonly schema?: SchemaReader;
}

/** The data side of the client, for one invocation. */
export interface FunctionClient {
  /** Whether a connection is up, as far as this side knows. */
  isConnected(): boolean;
  /** Stores one message in any station; see `context.produce`. */
  readonly produce: Produce<[station: string]>;
  /**
   * Stores many messages, all of them written without waiting for one another, a result for each. Each takes
   * `ackWaitMs`, all of them what the invocation has left less 500 ms: what is not sent by then has a failure for its
   * result.
   *
   * @throws MemphisError with `index` for a message that cannot be sent: nothing was sent then
   */
  produceBatch<M extends Payload>(
    station: string,
    messages: readonly M[],
    options?: ProduceBatchOptions<M>,
  ): Promise<ProduceResult[]>;
  /**
   * A producer under a name of its own. It costs nothing, and ends with the invocation: do not keep it for the next one.
   *
   * @throws MemphisError `STATION_NOT_FOUND`, `INVALID_NAME`, `CONNECT_FAILED`
   */
  createProducer(station: string, options?: FunctionProducerOptions): Promise<FunctionProducer>;
  /** One batch of a group; settle each message and await it. */
  fetchMessages<T = unknown>(source: string | BindingArgument, options?: FetchMessagesOptions): Promise<Message<T>[]>;
}

/** What {@link withProducer} adds to an invocation's context. */
export interface ProducerContext {
  /**
   * Stores one message in the wrapper's station; resolves when the broker has confirmed it. Takes `ackWaitMs`, within
   * what the invocation has left less 500 ms, the dial included. With `async` it resolves when the message is written;
   * the function still returns when all is confirmed, and a failure that no `onError` takes fails the invocation.
   *
   * @throws MemphisError `INVALID_OPTION` without a station, `STATION_NOT_FOUND`, `PAYLOAD_TOO_LARGE`, `STORAGE_FULL`,
   * `CONNECT_FAILED` when nothing was sent in time, `TIMEOUT` when it may be stored, `CLOSED` after the invocation
   */
  readonly produce: Produce<[]>;
  readonly memphis: FunctionClient;
}

/** What one invocation produces with. */
export interface Invocation {
  /** What was called, for error texts. */
  readonly where: string;
  readonly outlet: Outlet<DataSide>;
  readonly side: DataSide;
  readonly underWay: UnderWay;
  readonly settings: Omit<Resolved<typeof producerFunctionOptions>, 'prefetch'>;
  readonly context: unknown;
}

/** The tools of one invocation; what they start is under way until it ends. */
export function makeTools(invocation: Invocation): ProducerContext {
  const { side, underWay, settings } = invocation;
  const own = { name: settings.producerName, ackWaitMs: settings.ackWaitMs, onError: settings.onError };
  const targets = new Map<string, Target>();
  const targetOf = (station: string): Target => {
    const target = targets.get(station) ?? { ...own, station };
    targets.set(station, target);
    return target;
  };
  let stated: Target | undefined;
  const memphis: FunctionClient = {
    isConnected: () => side.isConnected(),
    produce: ((to: string, message: Payload, options?: ProduceOptions) =>
      underWay.run((task) => produce(invocation, task, targetOf(to), message, options))) as FunctionClient['produce'],
    produceBatch: (to, messages, options) =>
      underWay.run((task) => produceBatch(invocation, task, targetOf(to), messages, options)),
    createProducer: (to, options) => underWay.run(() => createProducer(invocation, to, options)),
    fetchMessages: (from, options) =>
      underWay.run(() => side.fetchMessages(from, options, settleLimit(remainingTimeMs(invocation.context)))),
  };
  return {
    memphis,
    produce: ((message: Payload, options?: ProduceOptions) =>
      underWay.run((task) => {
        stated ??= { ...own, station: statedStation(invocation), schema: settings.schema };
        return produce(invocation, task, stated, message, options);
      })) as ProducerContext['produce'],
  };
}

function statedStation({ where, settings: { station } }: Invocation): string {
  if (station !== undefined) return station;
  throw new MemphisError('INVALID_OPTION', `${where}: set station or MEMPHIS_STATION to use context.produce.`, {
    option: 'station',
  });
}

/** Where messages go, and how. */
interface Target extends Destination {
  readonly ackWaitMs: number;
  readonly onError: OnProduceError | undefined;
}

async function createProducer(
  invocation: Invocation,
  to: string,
  options: FunctionProducerOptions = {},
): Promise<FunctionProducer> {
  const { outlet, underWay, settings, context } = invocation;
  checkOptions('createProducer', producerOptions, options);
  const target: Target = {
    station: to,
    name: options.name ?? settings.producerName,
    genUniqueSuffix: options.genUniqueSuffix ?? false,
    ackWaitMs: options.ackWaitMs ?? settings.ackWaitMs,
    onError: options.onError ?? settings.onError,
    schema: options.schema,
  };
  const limitMs = produceLimitMs(context, target.ackWaitMs);
  const { station, name } = await outlet.producer(target, Math.max(1, limitMs));
  return {
    station,
    name,
    produce: ((message: Payload, given?: ProduceOptions) =>
      underWay.run((task) => produce(invocation, task, target, message, given))) as FunctionProducer['produce'],
    produceBatch: (messages, given) => underWay.run((task) => produceBatch(invocation, task, target, messages, given)),
  };
}

/** @throws MemphisError what can be said at once */
function produce(
  { outlet, underWay, context }: Invocation,
  task: Task<Receipt | Written>,
  target: Target,
  message: Payload,
  options: ProduceOptions | undefined,
): Promise<Receipt | Written> {
  const given = checkOptions('produce', produceOptions, options);
  const limitMs = produceLimitMs(context, given.ackWaitMs ?? target.ackWaitMs);
  const late = (): MemphisError => unconfirmed(target.station, limitMs);
  underWay.limit(task, limitMs + GRACE_MS, late);
  if (given.async !== true) return outlet.store(target, message, given, limitMs);
  const untilMs = Date.now() + limitMs;
  const begun = outlet.begin(target, message, { ...given, onError: given.onError ?? target.onError }, limitMs);
  return begun.then(({ written, ended }) => {
    // nobody looks at it: its failure fails the invocation
    void underWay.run<void>((itsEnd) => {
      underWay.limit(itsEnd, untilMs + GRACE_MS - Date.now(), late);
      return ended;
    });
    return written;
  });
}

/** @throws MemphisError what can be said at once */
function produceBatch<M extends Payload>(
  { outlet, underWay, context }: Invocation,
  task: Task<ProduceResult[]>,
  target: Target,
  messages: readonly M[],
  options: ProduceBatchOptions<M> | undefined,
): Promise<ProduceResult[]> {
  checkOptions('produceBatch', produceBatchOptions, options);
  const ackWaitMs = options?.ackWaitMs ?? target.ackWaitMs;
  const limitMs = produceLimitMs(context, NO_LIMIT);
  underWay.limit(task, limitMs + GRACE_MS, () => unconfirmed(target.station, limitMs));
  return outlet.produceBatch(target, messages, options ?? {}, { limitMs, ackWaitMs });
}
