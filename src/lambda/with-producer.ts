/** `withProducer`: any handler that produces. What it started is over, and its failures seen, before the function returns. */

import { DataClient } from '../client/data.ts';
import { sharedSession } from '../client/session.ts';
import { MemphisError } from '../model/errors.ts';
import type { LambdaContext } from '../model/lambda-context.ts';
import { extendContext } from './extend-context.ts';
import type { DataSide, LoadDataSide } from './outlet.ts';
import type { ProducerContext } from './producer-tools.ts';
import { type ProducingOptions, prepareProducing } from './producing.ts';

/** Options of {@link withProducer}; each may come from its environment variable instead. */
export interface WithProducerOptions extends ProducingOptions {}

/** The client's data side over the session that functions of this process share. */
async function loadDataSide(settings: Parameters<LoadDataSide>[0]): Promise<DataSide> {
  return new DataClient(sharedSession(settings));
}

/** The context as Lambda hands it over: what the wrapper adds is not asked of it. */
type Bare<C> = Omit<C, keyof ProducerContext>;

/**
 * Gives a handler `context.produce` for its station and `context.memphis` for all others. Before the function returns,
 * also when the handler throws, everything produced is confirmed or has failed; a failure that the handler did not
 * await fails the invocation.
 *
 * Inside `withMemphis` it makes a consumer that produces too: its messages are acked only after what came of them is stored.
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
  const begin = prepareProducing('withProducer', options, load);

  // Two parameters at most: the runtime takes a third one for a callback, which Node 24 refuses.
  return async (event, context) => {
    const { tools, end } = await begin(context);
    let result: Result;
    try {
      result = await handler(event, extendContext<C & ProducerContext>(context, tools));
    } catch (error) {
      await end({ error });
      throw error;
    }
    await end();
    return result;
  };
}
