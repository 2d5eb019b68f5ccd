/** `memphisConsumer`: a handler under Middy gets batches of messages, pushed and pulled, as under `withMemphis`. */

import { isMemphisEvent } from '../envelope/is-event.ts';
import type { BatchResponse } from '../envelope/response.ts';
import { consume } from '../lambda/consume.ts';
import { extendContext } from '../lambda/extend-context.ts';
import type { PullSummary } from '../lambda/pull-invocation.ts';
import { backoffMs } from '../model/backoff.ts';
import { MemphisError } from '../model/errors.ts';
import type { Message } from '../model/message.ts';
import type { Given, Resolved } from '../model/option-spec.ts';
import { connectOptions } from '../model/options/connect.ts';
import { consumerFunctionOptions, type GivenForConsuming } from '../model/options/consumer-function.ts';
import { middyOptions } from '../model/options/middy.ts';
import { checkOptions, resolveOptions } from '../model/resolve-options.ts';
import { type Access, makeAccess, warmEarly } from './access.ts';
import { cleanUpOthers } from './clean-up.ts';
import { claimConsumer, type Ending, endHooks, flushProduced } from './ending.ts';
import type { MemphisMiddleware, MiddyRequest } from './request.ts';

// Middy calls the handler once an invocation, so there is one batch; prefetching has another name here
const { drain: _drain, maxBatches: _maxBatches, prefetch: _prefetch, ...consumerOptions } = consumerFunctionOptions;
const optionTable = { ...connectOptions, ...consumerOptions, ...middyOptions };

/** Options of {@link memphisConsumer}; each but `cacheKeyExpiry` may come from its environment variable instead. */
export interface MemphisConsumerOptions
  extends Given<typeof connectOptions>,
    Omit<GivenForConsuming, 'drain' | 'maxBatches' | 'prefetch'>,
    Given<typeof middyOptions> {}
type Settings = Resolved<typeof optionTable>;

/**
 * Makes a Middy middleware (`@middy/core` 6 and 7) that stands for `withMemphis`: the event becomes the list of messages,
 * pushed by a poller or pulled from the station, and what stands behind it in the chain is their handler. Its return and
 * its throw mean what they mean there; the invocation answers with the partial batch response, or with the summary.
 * An empty station ends the chain early, with the summary.
 *
 * Messages are settled, and the broker has confirmed it, before the invocation ends, also when another middleware
 * answers early or throws. An early answer in place of the handler gives them back, unless it is a partial batch
 * response. With `contextKey`, `context[contextKey].signal` aborts when the time kept back to settle begins.
 *
 * @param options checked here; the environment is read at the first invocation
 * @throws MemphisError `INVALID_OPTION`; invocations: as those of `withMemphis`
 * @example
 * ```ts
 * export const handler = middy(each<Order>(async (order) => { await bill(order); }))
 *   .use(memphisConsumer({ station: 'orders', group: 'billing' }));
 * ```
 */
export function memphisConsumer(options?: MemphisConsumerOptions): MemphisMiddleware {
  checkOptions('memphisConsumer', optionTable, options);
  let known: { readonly settings: Settings; readonly access: Access } | undefined;
  const resolve = (): { readonly settings: Settings; readonly access: Access } => {
    if (known === undefined) {
      const settings = resolveOptions('memphisConsumer', optionTable, options, process.env);
      known = { settings, access: makeAccess('memphisConsumer', settings) };
    }
    return known;
  };
  warmEarly(options, () => resolve().access);
  const { watch, ...hooks } = endHooks();

  return {
    before: async (request) => {
      if (!claimConsumer(request)) throw usedTwice();
      const { settings, access } = resolve();
      const isPushed = isMemphisEvent(request.event);
      const lease = isPushed ? undefined : await access.lease(request);
      const batch = openBatch(request, settings, lease?.session);
      const outcome = lease === undefined ? batch.outcome : batch.outcome.finally(() => lease.end());
      outcome.catch(() => {}); // whoever ends the chain looks at it
      const begun = await Promise.race([batch.handed, outcome.then((answer) => ({ answer }))]);
      if ('answer' in begun) {
        await cleanUpOthers(request);
        return begun.answer;
      }
      const all = [...begun.messages]; // what stands behind may take messages off the list
      request.event = begun.messages;
      const { contextKey } = settings;
      if (contextKey !== undefined) {
        request.context = extendContext(request.context, { [contextKey]: { signal: begun.signal } });
      }
      watch(request, async (ending) => {
        answer(all, await withProduced(request, ending), batch, isPushed ? settings : undefined);
        const result = await outcome;
        return ending.isEarly && !isPushed ? ending.value : result;
      });
      return undefined;
    },
    ...hooks,
  };
}

/** A batch whose handler is the rest of the chain. */
interface OpenBatch {
  /** When there are messages to handle. */
  readonly handed: Promise<{ readonly messages: readonly Message[]; readonly signal: AbortSignal }>;
  /** When all is settled; also when there is nothing to handle. */
  readonly outcome: Promise<BatchResponse | PullSummary>;
  succeed(value: unknown): void;
  fail(error: unknown): void;
}

function openBatch(
  { event, context }: MiddyRequest,
  settings: Settings,
  session: Awaited<ReturnType<Access['lease']>>['session'] | undefined,
): OpenBatch {
  const handed = Promise.withResolvers<{ messages: readonly Message[]; signal: AbortSignal }>();
  const end = Promise.withResolvers<unknown>();
  end.promise.catch(() => {}); // after the deadline nobody looks at it
  const outcome = consume({
    where: 'memphisConsumer',
    event,
    context,
    settings: { ...settings, drain: false, maxBatches: undefined, prefetch: false },
    handler: (messages, _, { signal }) => {
      handed.resolve({ messages, signal });
      return end.promise;
    },
    ...(session === undefined ? {} : { session }),
  });
  return { handed: handed.promise, outcome, succeed: end.resolve, fail: end.reject };
}

/**
 * What the rest of the chain has said about the messages. Nothing is taken for done that no handler has seen, or in
 * whose chain something was thrown, unless a partial batch response says so.
 *
 * @param backoff of a pushed batch: a poller would bring what is given back at once again and again
 */
function answer(
  messages: readonly Message[],
  { value, thrown, byHandler }: Ending,
  batch: OpenBatch,
  backoff: Settings | undefined,
): void {
  if (isResponse(value)) batch.succeed(value);
  else if (thrown !== undefined) batch.fail(thrown.error);
  else if (byHandler) batch.succeed(value);
  else {
    const batchItemFailures = messages.map(({ id, deliveryCount }) => ({
      itemIdentifier: id,
      unseen: true,
      delayMs:
        backoff === undefined
          ? 0
          : backoffMs({ baseMs: backoff.backoffBaseMs, maxMs: backoff.backoffMaxMs }, deliveryCount),
    }));
    batch.succeed({ batchItemFailures });
  }
}

function isResponse(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'batchItemFailures' in value;
}

/** Nothing is acked before what its handler produced is stored, wherever in the chain `memphisProducer` stands. */
async function withProduced(request: MiddyRequest, ending: Ending): Promise<Ending> {
  if (ending.thrown !== undefined) return ending;
  try {
    await flushProduced(request);
    return ending;
  } catch (error) {
    return { ...ending, value: undefined, thrown: { error } };
  }
}

function usedTwice(): MemphisError {
  return new MemphisError(
    'INVALID_OPTION',
    'memphisConsumer: it may be used once in a chain; the event holds messages already.',
  );
}
