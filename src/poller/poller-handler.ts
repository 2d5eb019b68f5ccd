/** `pollerHandler`: the poller as a scheduled function, which works until shortly before its own deadline. */

import { LONGEST_TIMER_MS, remainingTimeMs, settleLimit, workTimeMs } from '../model/deadline.ts';
import { type LambdaPort, openLambda } from './lambda-client.ts';
import { type Mapping, parseMappings, resolveMappings } from './mapping.ts';
import { countSlots, openSession, type PollerOptions, resolvePollerOptions } from './poller-options.ts';
import type { PollReport } from './report.ts';
import { reportToConsole, runMappings } from './run-mappings.ts';

/** What Lambda calls on a schedule; the event is not read. */
export type PollerHandler = (event?: unknown, context?: unknown) => Promise<PollReport>;

/**
 * Makes a handler that works off its mappings until its deadline, less what settling needs. It stops to pull when
 * an average invocation would not fit any more. Runs may overlap, so a schedule as long as the timeout leaves no
 * gap; set the schedule's own retries to 0. Where the context tells no time (a test), it ends once all stations
 * are empty.
 *
 * Client and connection are kept for the next run.
 *
 * @param options.mappings what to read and invoke; left out: the JSON list in `MEMPHIS_MAPPINGS`
 * @param options.idleExitMs ends a run early that has nothing to do. @default never
 * @throws MemphisError `INVALID_OPTION`, `INVALID_NAME`; the handler rejects with these for a wrong environment,
 *   and with `DEPENDENCY_MISSING`. What keeps one mapping from working stands in the report instead.
 * @example
 * ```ts
 * export const handler = pollerHandler({
 *   mappings: [{ station: 'orders', group: 'billing', functionName: 'billing' }],
 * });
 * ```
 */
export function pollerHandler(options: PollerOptions = {}): PollerHandler {
  const settings = resolvePollerOptions('pollerHandler', options);
  let mappings: readonly Mapping[] | undefined;
  if (options.mappings !== undefined) mappings = resolveMappings('pollerHandler', options.mappings);
  let lambda: Promise<LambdaPort> | undefined;

  return async (_event, context) => {
    const workMs = workTimeMs(context, settings.deadlineReserveMs);
    mappings ??= parseMappings(process.env.MEMPHIS_MAPPINGS);
    lambda ??= openLambda(options.lambda, countSlots(mappings)).catch((error: unknown) => {
      lambda = undefined;
      throw error;
    });
    const client = await lambda;
    const { session } = openSession('pollerHandler', options.connection, 'shared');
    const deadline = startDeadline(workMs);
    try {
      return await runMappings({
        mappings,
        session,
        lambda: client,
        stop: new AbortController().signal,
        cut: deadline.cut,
        workMs,
        settleLimit: settleLimit(remainingTimeMs(context)),
        isPersistent: false,
        idleExitMs: settings.idleExitMs ?? (workMs === Number.POSITIVE_INFINITY ? 0 : undefined),
        onError: options.onError ?? reportToConsole,
      });
    } finally {
      deadline.end();
    }
  };
}

function startDeadline(workMs: number): { readonly cut: AbortSignal; end(): void } {
  const controller = new AbortController();
  const isEndless = workMs > LONGEST_TIMER_MS;
  const timer = isEndless ? undefined : setTimeout(() => controller.abort(), Math.max(0, workMs));
  return { cut: controller.signal, end: () => clearTimeout(timer) };
}
