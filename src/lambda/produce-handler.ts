/** `produceHandler`: a complete API function. An HTTP request comes in, its body is stored, the answer says where. */

import { ProducingClient } from '../client/producing.ts';
import { sharedSession } from '../client/session.ts';
import { isMemphisError, MemphisError } from '../model/errors.ts';
import type { Given, Resolved } from '../model/option-spec.ts';
import { connectOptions } from '../model/options/connect.ts';
import { produceOptions } from '../model/options/produce.ts';
import { type GivenForRequests, produceHandlerOptions } from '../model/options/produce-handler.ts';
import type { Receipt } from '../model/receipt.ts';
import { checkOptions, pickOptions, resolveOptions } from '../model/resolve-options.ts';
import { checkName } from '../model/station.ts';
import { type ApiAnswer, makeApiAnswer, readApiEvent } from './api-event.ts';
import { type ApiFailure, toApiFailure } from './api-status.ts';
import { logError } from './log-error.ts';
import { GRACE_MS, type LoadSide, Outlet, type ProducingSide, produceLimitMs, unconfirmed } from './outlet.ts';
import { tooLate, warmEarly } from './producing.ts';
import { type RequestMessage, readMessages } from './read-messages.ts';
import { UnderWay } from './under-way.ts';

const optionTable = { ...connectOptions, ...produceHandlerOptions };

/** Options of {@link produceHandler}; all but `schema`, `partitionKey` and `headers` may come from the environment. */
export interface ProduceHandlerOptions extends Given<typeof connectOptions>, GivenForRequests {}
type Settings = Resolved<typeof optionTable>;

/** Over the session that functions of this process share; nothing here consumes. */
async function loadProducingSide(settings: Resolved<typeof connectOptions>): Promise<ProducingSide> {
  return new ProducingClient(sharedSession(settings));
}

/** Gateways give up after 29 s (REST) or 30 s (HTTP APIs); the rest is for the way back. */
const GATEWAY_LIMIT_MS = 28_500;

/** What became of one message: a receipt or a failure, with the status it would have had alone. */
interface Result {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly failure?: ApiFailure;
  readonly error?: unknown;
}

/**
 * Makes a Lambda handler for API Gateway (REST, HTTP API), function URLs and load balancers that stores each POST or PUT
 * in a station.
 *
 * Stored are the bytes of the body as they were sent; a `schema` decides whether, not what. The header `Idempotency-Key`
 * becomes the message id (`<key>-<index>` in a batch), so that a repeated request stores nothing twice. Answers: 202
 * with `{ station, partition, sequence, duplicate }`; 400 for what is malformed, 405, 413, 422 with the validator's paths
 * and no values; 500 for what this function's owner must put right (in the log, not in the answer); 503 with
 * `Retry-After` when the broker cannot take it now; 504 when it confirmed nothing within `ackWaitMs` and what the
 * invocation has left less 500 ms. 401 and 403 are the gateway's business.
 *
 * With `batch` the body is an array; it is checked as a whole before anything is stored. 202 `{ results }` when all are
 * stored, 207 when some are, else the status of the first failure; each result has its own `status`.
 *
 * @param options checked here; the environment is read at the first invocation
 * @throws MemphisError `INVALID_OPTION`, `INVALID_NAME`; invocations: `INVALID_EVENT` for what is no HTTP request
 * @example
 * ```ts
 * export const handler = produceHandler({ station: 'orders', schema: orderSchema, partitionKey: { path: 'customer' } });
 * ```
 */
export function produceHandler(
  options?: ProduceHandlerOptions,
): (event: unknown, context?: unknown) => Promise<ApiAnswer> {
  return makeProduceHandler(options, loadProducingSide);
}

/** {@link produceHandler} with a data side of the caller's choice. */
export function makeProduceHandler(
  options: ProduceHandlerOptions | undefined,
  load: LoadSide<ProducingSide>,
): (event: unknown, context?: unknown) => Promise<ApiAnswer> {
  checkOptions('produceHandler', optionTable, options);
  if (options?.station !== undefined) checkName('station', options.station);
  let known: Settings | undefined;
  const resolve = (): Settings => {
    known ??= resolveOptions('produceHandler', optionTable, options, process.env);
    return known;
  };
  const outlet = new Outlet(async () => load(pickOptions(connectOptions, resolve())));
  warmEarly(outlet, options, () => resolve().prefetch);

  return async (event, context) => {
    const request = readApiEvent(event);
    const startedAt = Date.now();
    try {
      const settings = resolve();
      // counted from here on: a validator may be slow, and the gateway waits for all of it
      const limitMs = produceLimitMs(context, Math.min(settings.ackWaitMs, GATEWAY_LIMIT_MS));
      const reading = await readMessages(request, settings);
      if (reading.refusal !== undefined) {
        const { status, error, headers } = reading.refusal;
        return makeApiAnswer(request, status, { error }, headers);
      }
      const { messages } = reading;
      const leftMs = limitMs - (Date.now() - startedAt);
      const underWay = new UnderWay(
        tooLate,
        () => {},
        (error) => outlet.note(error),
      );
      const results = await Promise.all(messages.map((one) => storeOne(outlet, underWay, settings, one, leftMs)));
      await underWay.end();
      logFaults(results);
      const { status, body, headers } = settings.batch ? answerBatch(results) : answerOne(results);
      return makeApiAnswer(request, status, body, headers);
    } catch (error) {
      const result = fail(error);
      logFaults([result]);
      const { status, body, failure } = result;
      return makeApiAnswer(request, status, body, retryHeaders(failure));
    }
  };
}

async function storeOne(
  outlet: Outlet,
  underWay: UnderWay,
  { station, producerName }: Settings,
  { data, ...options }: RequestMessage,
  limitMs: number,
): Promise<Result> {
  try {
    if (station === undefined) {
      throw new MemphisError('INVALID_OPTION', 'produceHandler: set station or MEMPHIS_STATION.', {
        option: 'station',
      });
    }
    const to = { station, name: producerName };
    const receipt = await underWay.run<Receipt>((task) => {
      underWay.limit(task, limitMs + GRACE_MS, () => unconfirmed(station, limitMs));
      return outlet.store(to, data, checkOptions('produce', produceOptions, options), limitMs);
    });
    const { partition, sequence, duplicate } = receipt;
    return { status: 202, body: { station: receipt.station, partition, sequence, duplicate } };
  } catch (error) {
    return fail(error);
  }
}

function fail(error: unknown): Result {
  const failure = toApiFailure(error);
  const { status, code, message } = failure;
  const issues = isMemphisError(error, 'SCHEMA_VIOLATION') && error.issues ? { issues: error.issues } : {};
  return { status, body: { error: { code, message, ...issues } }, failure, error };
}

/** What is wrong on this side is for the log, one line a status; the client's own mistakes are not. */
function logFaults(results: readonly Result[]): void {
  const faults = results.filter(({ status }) => status >= 500);
  for (const status of new Set(faults.map((fault) => fault.status))) {
    const alike = faults.filter((fault) => fault.status === status);
    logError('A request was not stored', alike[0]?.error, { status, messages: alike.length });
  }
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

function answerOne([result]: readonly Result[]): Answer {
  const { status, body, failure } = result ?? fail(new Error('a request without a message'));
  return { status, body, headers: retryHeaders(failure) };
}

/** All stored, some, or none. Repeating the whole batch with the same `Idempotency-Key` stores what is missing. */
function answerBatch(all: readonly Result[]): Answer {
  const failures = all.flatMap(({ failure }) => failure ?? []);
  const first = failures[0];
  const status = first === undefined ? 202 : failures.length < all.length ? 207 : first.status;
  const retryable = failures.find(({ retryAfterSeconds }) => retryAfterSeconds !== undefined);
  const results = all.map((result) => ({ status: result.status, ...result.body }));
  return { status, body: { results }, headers: retryHeaders(retryable) };
}

function retryHeaders(failure: ApiFailure | undefined): Readonly<Record<string, string>> {
  return failure?.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(failure.retryAfterSeconds) };
}
