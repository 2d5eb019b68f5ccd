/** `withMemphis`: one wrapper for both ways in. The pushed one runs no broker code. */

import type { BatchHandler } from '../batch/run-batch.ts';
import type { BatchResponse } from '../envelope/response.ts';
import { MemphisError } from '../model/errors.ts';
import type { LambdaContext } from '../model/lambda-context.ts';
import type { Given, Resolved } from '../model/option-spec.ts';
import { connectOptions } from '../model/options/connect.ts';
import { consumerFunctionOptions, type GivenForConsuming } from '../model/options/consumer-function.ts';
import { checkOptions, resolveOptions } from '../model/resolve-options.ts';
import { consume } from './consume.ts';
import { warmStation } from './from-station.ts';
import type { PullSummary } from './pull-invocation.ts';

const optionTable = { ...connectOptions, ...consumerFunctionOptions };

/** Options of {@link withMemphis}; each may come from its environment variable instead. */
export interface WithMemphisOptions extends Given<typeof connectOptions>, GivenForConsuming {}
/** All options of a wrapper, filled in. */
type WithMemphisSettings = Resolved<typeof optionTable>;

/**
 * Makes a Lambda handler out of a handler of batches. Invoked with a batch that a poller pushed it answers with
 * the partial batch response; invoked with anything else it pulls a batch from the station by itself and
 * answers with a summary.
 *
 * An ordinary error thrown for a whole pushed batch fails the invocation, so that it counts as one; the poller
 * retries all messages. So does a pulled batch all of whose messages failed.
 *
 * @param options checked here; the environment is read at the first invocation
 * @throws MemphisError `INVALID_OPTION`; invocations: `INVALID_EVENT`, `INVALID_OPTION`, `ALL_MESSAGES_FAILED`,
 *   `SETTLE_UNCONFIRMED`, and what connecting and pulling throw
 * @example
 * ```ts
 * export const handler = withMemphis(async (messages) => { await save(messages.map((message) => message.value())); },
 *   { station: 'orders', group: 'billing', batchSize: 100 });
 * ```
 */
export function withMemphis<T = unknown, C = LambdaContext>(
  handler: BatchHandler<T, C>,
  options?: WithMemphisOptions,
): (event: unknown, context: C) => Promise<BatchResponse | PullSummary> {
  if (typeof handler !== 'function') {
    throw new MemphisError('INVALID_OPTION', 'withMemphis: the handler must be a function.', { option: 'handler' });
  }
  checkOptions('withMemphis', optionTable, options);
  let settings: WithMemphisSettings | undefined;
  const resolve = (): WithMemphisSettings => {
    settings ??= resolveOptions('withMemphis', optionTable, options, process.env);
    return settings;
  };
  if (options?.prefetch === true || process.env.MEMPHIS_PREFETCH !== undefined) prefetch(resolve);

  // Two parameters at most: the runtime takes a third one for a callback, which Node 24 refuses.
  return async (event, context) =>
    await consume({ where: 'withMemphis', handler, event, context, settings: resolve() });
}

/** Starts to dial. Never throws. */
function prefetch(resolve: () => WithMemphisSettings): void {
  try {
    const settings = resolve();
    if (process.env.MEMPHIS_DRIVER !== 'none' && settings.prefetch) warmStation(settings);
  } catch {
    // a wrong variable, say: the first invocation reads them anew and fails with it, where somebody sees it
  }
}
