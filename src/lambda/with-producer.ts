/** `withProducer`: any handler that produces. What it started is over, and its failures seen, before the function returns. */

import type { FetchMessagesOptions } from '../client/data.ts';
import type { Payload } from '../client/payload.ts';
import type { ProduceOptions } from '../client/producer.ts';
import type { Receipt } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import type { LambdaContext } from '../model/lambda-context.ts';
import type { Message } from '../model/message.ts';
import {
  checkOptions,
  connectOptions,
  type Given,
  pickOptions,
  produceOptions,
  producerFunctionOptions,
  type Resolved,
  resolveOptions,
} from '../model/options.ts';
import { checkName } from '../model/station.ts';
import { logError } from './log-error.ts';
import { type DataSide, type LoadDataSide, loadDataSide, Outlet, produceLimitMs } from './outlet.ts';
import { UnderWay } from './under-way.ts';

const optionTable = { ...connectOptions, ...producerFunctionOptions };

/** Options of {@link withProducer}; each may come from its environment variable instead. */
export type WithProducerOptions = Given<typeof optionTable>;
type Settings = Resolved<typeof optionTable>;

/** A producer of one invocation. */
export interface FunctionProducer {
  readonly station: string;
  readonly name: string;
  /** See `context.produce`. */
  produce(message: Payload, options?: ProduceOptions): Promise<Receipt>;
}

/** The data side of the client, for one invocation. */
export interface FunctionClient {
  /** Whether a connection is up, as far as this side knows. */
  isConnected(): boolean;
  /** Stores one message in any station; see `context.produce`. */
  produce(station: string, message: Payload, options?: ProduceOptions): Promise<Receipt>;
  /**
   * A producer under a name of its own. It costs nothing, and ends with the invocation: do not keep it for the next one.
   *
   * @throws MemphisError `STATION_NOT_FOUND`, `INVALID_NAME`, `CONNECT_FAILED`
   */
  createProducer(
    station: string,
    options?: { readonly name?: string; readonly ackWaitMs?: number },
  ): Promise<FunctionProducer>;
  /** One batch of a group; settle each message and await it. */
  fetchMessages<T = unknown>(station: string, options?: FetchMessagesOptions): Promise<Message<T>[]>;
}

/** What {@link withProducer} adds to an invocation's context. */
export interface ProducerContext {
  /**
   * Stores one message in the wrapper's station; resolves when the broker has confirmed it. Takes `ackWaitMs`, within
   * what the invocation has left less 500 ms, the dial included.
   *
   * @throws MemphisError `INVALID_OPTION` without a station, `STATION_NOT_FOUND`, `PAYLOAD_TOO_LARGE`, `STORAGE_FULL`,
   * `CONNECT_FAILED` when nothing was sent in time, `TIMEOUT` when it may be stored, `CLOSED` after the invocation
   */
  produce(message: Payload, options?: ProduceOptions): Promise<Receipt>;
  readonly memphis: FunctionClient;
}

/** The context as Lambda hands it over: what the wrapper adds is not asked of it. */
type Bare<C> = Omit<C, keyof ProducerContext>;

/**
 * Gives a handler `context.produce` for its station and `context.memphis` for all others. Before the function returns,
 * also when the handler throws, everything produced is confirmed or has failed; a failure that the handler did not
 * await fails the invocation.
 *
 * @param options checked here; the environment is read at the first invocation
 * @throws MemphisError `INVALID_OPTION`, `INVALID_NAME`
 * @example
 * ```ts
 * export const handler = withProducer(async (event: S3Event, context) => {
 *   for (const record of event.Records) await context.produce({ key: record.s3.object.key });
 * }, { station: 'uploads' });
 * ```
 */
export function withProducer<Event = unknown, Result = unknown, C extends object = LambdaContext>(
  handler: (event: Event, context: C & ProducerContext) => Result | Promise<Result>,
  options?: WithProducerOptions,
): (event: Event, context: Bare<C>) => Promise<Result> {
  return wrapProducer(handler, options, loadDataSide);
}

/** {@link withProducer} with a data side of the caller's choice. */
export function wrapProducer<Event = unknown, Result = unknown, C extends object = LambdaContext>(
  handler: (event: Event, context: C & ProducerContext) => Result | Promise<Result>,
  options: WithProducerOptions | undefined,
  load: LoadDataSide,
): (event: Event, context: Bare<C>) => Promise<Result> {
  if (typeof handler !== 'function') {
    throw new MemphisError('INVALID_OPTION', 'withProducer: the handler must be a function.', { option: 'handler' });
  }
  checkOptions('withProducer', optionTable, options);
  if (options?.station !== undefined) checkName('station', options.station);
  let known: Settings | undefined;
  const resolve = (): Settings => {
    known ??= resolveOptions('withProducer', optionTable, options, process.env);
    return known;
  };
  const outlet = new Outlet(async () => load(pickOptions(connectOptions, resolve())));
  warmEarly(outlet, options, () => resolve().prefetch);

  // Two parameters at most: the runtime takes a third one for a callback, which Node 24 refuses.
  return async (event, context) => {
    const underWay = new UnderWay(tooLate, (error) => logError('Produced after the invocation', error));
    const tools = makeTools({ outlet, side: await outlet.side(), underWay, settings: resolve(), context });
    let result: Result;
    try {
      result = await handler(event, extend<C>(context, tools));
    } catch (error) {
      for (const unseen of await underWay.end()) if (unseen !== error) logError('A produce failed', unseen);
      throw error;
    }
    const unseen = await underWay.end();
    for (const error of unseen.slice(1)) logError('A produce failed', error);
    if (unseen.length > 0) throw unseen[0];
    return result;
  };
}

/** Starts to dial while the module loads. What goes wrong is met again by the first invocation. */
export function warmEarly(
  outlet: Outlet,
  options: { readonly prefetch?: boolean | undefined } | undefined,
  isWanted: () => boolean,
): void {
  if (options?.prefetch !== true && process.env.MEMPHIS_PREFETCH === undefined) return;
  const warm = async (): Promise<void> => {
    if (isWanted()) (await outlet.side()).session.warm();
  };
  warm().catch(() => {});
}

const tooLate = (): MemphisError =>
  new MemphisError(
    'CLOSED',
    'The invocation was over when this was produced; nothing was sent. Await it in the handler, with what this invocation gave.',
  );

interface Invocation {
  readonly outlet: Outlet;
  readonly side: DataSide;
  readonly underWay: UnderWay;
  readonly settings: Settings;
  readonly context: unknown;
}

function makeTools(invocation: Invocation): ProducerContext {
  const { side, underWay, settings } = invocation;
  const { station, producerName, ackWaitMs } = settings;
  const memphis: FunctionClient = {
    isConnected: () => side.isConnected(),
    produce: (to, message, options) =>
      underWay.run(() => produce(invocation, { station: to, name: producerName, ackWaitMs }, message, options)),
    createProducer: (to, options) => underWay.run(() => createProducer(invocation, to, options)),
    fetchMessages: (from, options) => underWay.run(() => side.fetchMessages(from, options)),
  };
  return {
    memphis,
    produce: (message, options) =>
      underWay.run(async () =>
        produce(invocation, { station: stated(station), name: producerName, ackWaitMs }, message, options),
      ),
  };
}

function stated(station: string | undefined): string {
  if (station !== undefined) return station;
  throw new MemphisError('INVALID_OPTION', 'withProducer: set station or MEMPHIS_STATION to use context.produce.', {
    option: 'station',
  });
}

async function createProducer(
  invocation: Invocation,
  to: string,
  options: { readonly name?: string; readonly ackWaitMs?: number } = {},
): Promise<FunctionProducer> {
  const { outlet, underWay, settings, context } = invocation;
  checkOptions('createProducer', producerTable, options);
  const target = {
    station: to,
    name: options.name ?? settings.producerName,
    ackWaitMs: options.ackWaitMs ?? settings.ackWaitMs,
  };
  const limitMs = produceLimitMs(context, target.ackWaitMs);
  const { station, name } = await outlet.producer(to, target.name, Math.max(1, limitMs));
  return {
    station,
    name,
    produce: (message, given) => underWay.run(() => produce(invocation, target, message, given)),
  };
}

const producerTable = { name: producerFunctionOptions.producerName, ackWaitMs: producerFunctionOptions.ackWaitMs };

async function produce(
  { outlet, context }: Invocation,
  target: { readonly station: string; readonly name: string; readonly ackWaitMs: number },
  message: Payload,
  options?: ProduceOptions,
): Promise<Receipt> {
  checkOptions('produce', produceOptions, options);
  const { ackWaitMs, ...rest } = options ?? {};
  return outlet.produce(target, message, rest, produceLimitMs(context, ackWaitMs ?? target.ackWaitMs));
}

/** Puts the tools on the invocation's own context; on an heir of it where it takes none, or is none. */
function extend<C extends object>(context: Bare<C>, tools: ProducerContext): C & ProducerContext {
  if (typeof context !== 'object' || context === null) return { ...tools } as C & ProducerContext;
  if (Object.isExtensible(context)) return Object.assign(context, tools) as unknown as C & ProducerContext;
  const heir: unknown = Object.create(context);
  for (const [name, value] of Object.entries(tools)) Object.defineProperty(heir, name, { value, enumerable: true });
  return heir as C & ProducerContext;
}
