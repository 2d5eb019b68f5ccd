/** `createPoller`: a poller that runs until it is told to stop, in a container or on a laptop. */

import { MemphisError } from '../model/errors.ts';
import { pollerRunOptions } from '../model/options/poller.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { openLambda } from './lambda-client.ts';
import { type MappingOptions, resolveMappings } from './mapping.ts';
import { countSlots, openSession, type PollerOptions, resolvePollerOptions } from './poller-options.ts';
import type { PollReport } from './report.ts';
import { reportToConsole, runMappings } from './run-mappings.ts';

/** How long settling may go on when the time of invocations is over. */
const SETTLE_LIMIT_MS = 5_000;

/** A poller that was set up; nothing runs and nothing is open until `run`. */
export interface Poller {
  /**
   * Pulls and invokes until the signal aborts, or `idleExitMs` is over. Then invocations under way may end
   * (`stopTimeoutMs`), and what is still not answered goes back to its station, as far as that takes no longer than
   * 5 s. Resolves with what was done when nothing is open any more. Outages of broker and Lambda are waited out; what needs somebody's hand (a missing
   * station, a missing function) is reported to `onError` and tried again every 30 s.
   *
   * @throws MemphisError `INVALID_OPTION`, `DEPENDENCY_MISSING`
   */
  run(options?: { readonly signal?: AbortSignal }): Promise<PollReport>;
}

/**
 * Sets up a poller: it turns the messages of stations into invocations of functions.
 * Any number may run at once; those of one group share the work.
 *
 * @param options.connection what `connect` takes, or what it returned
 * @param options.lambda a `LambdaClient`, or its configuration
 * @throws MemphisError `INVALID_OPTION`, `INVALID_NAME`
 * @example
 * ```ts
 * const poller = createPoller({
 *   mappings: [{ station: 'orders', group: 'billing', functionName: 'billing', batchSize: 100 }],
 *   connection: { servers: ['nats://127.0.0.1:4222'] },
 * });
 * const stop = new AbortController();
 * process.once('SIGTERM', () => stop.abort());
 * const { mappings } = await poller.run({ signal: stop.signal });
 * ```
 */
export function createPoller(options: PollerOptions & { readonly mappings: readonly MappingOptions[] }): Poller {
  const settings = resolvePollerOptions('createPoller', options);
  const mappings = resolveMappings('createPoller', options.mappings);
  if (options.deadlineReserveMs !== undefined) {
    throw new MemphisError('INVALID_OPTION', 'createPoller: deadlineReserveMs is for pollerHandler.', {
      option: 'deadlineReserveMs',
    });
  }
  return {
    async run(given) {
      const { signal = new AbortController().signal } = resolveOptions('run', pollerRunOptions, given);
      const lambda = await openLambda(options.lambda, countSlots(mappings));
      const { session, isOwn } = openSession('createPoller', options.connection, 'own');
      // whoever was told to stop is killed some time later: it waits for no broker that cannot be reached
      const grace = startGrace(signal, settings.stopTimeoutMs, () => {
        if (isOwn) void session.close();
      });
      try {
        return await runMappings({
          mappings,
          session,
          lambda,
          stop: signal,
          cut: grace.cut,
          workMs: Number.POSITIVE_INFINITY,
          isPersistent: true,
          idleExitMs: settings.idleExitMs,
          onError: options.onError ?? reportToConsole,
        });
      } finally {
        grace.end();
        lambda.close();
        if (isOwn) await session.close();
      }
    },
  };
}

/** A second signal, some time after the first. @param onOver called when settling has had its time, too */
function startGrace(
  signal: AbortSignal,
  graceMs: number,
  onOver: () => void,
): { readonly cut: AbortSignal; end(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => {
      controller.abort();
      timer = setTimeout(onOver, SETTLE_LIMIT_MS);
    }, graceMs);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    cut: controller.signal,
    end() {
      signal.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    },
  };
}
