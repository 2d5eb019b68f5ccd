/** The pipeline's handler of a mapping: invokes the function and turns what happened into items of an answer. */

import { type BatchItemFailure, type FailedItem, parseResponseText } from '../envelope/response.ts';
import { backoffMs } from '../model/backoff.ts';
import { describeError, MemphisError } from '../model/errors.ts';
import type { StoredMessage } from '../model/message.ts';
import { emit } from '../telemetry/channels.ts';
import type { Clock } from './clock.ts';
import { classifyInvokeError, NotSentError } from './invoke-error.ts';
import type { InvokeAnswer, LambdaPort } from './lambda-client.ts';
import type { Mapping } from './mapping.ts';
import { orAborted } from './or-aborted.ts';

/** What one invocation needs to know and to tell. */
export interface RemoteCall {
  readonly mapping: Mapping;
  readonly lambda: LambdaPort;
  readonly clock: Clock;
  /** Bytes that an invocation takes. */
  readonly limitBytes: number;
  encode(messages: readonly StoredMessage[]): Uint8Array;
  /** What no function has seen yet is not sent any more. */
  readonly stop: AbortSignal;
  /** Answers are not waited for any more. */
  readonly cut: AbortSignal;
  /** A call reached the function. */
  onInvoked(messages: number, durationMs: number): void;
  /** The mapping as a whole cannot work, or answers with nothing we can read. */
  onFault(error: MemphisError, isFatal: boolean): void;
}

/** Waits between two tries of a call that Lambda did not take; none of them spends a delivery. */
const laterBackoff = { baseMs: 100, maxMs: 5_000 };

const MAX_REASON_LENGTH = 500; // reasons travel in headers of the dead letter

type CallResult =
  | { readonly kind: 'answered'; readonly answer: InvokeAnswer; readonly durationMs: number }
  | { readonly kind: 'unseen' }
  | { readonly kind: 'payload'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * Hands messages over and says what did not succeed. Never rejects for what Lambda or the function do.
 * What the function cannot have seen is marked `unseen`, so that it costs no delivery.
 */
export async function handleRemotely(
  messages: readonly StoredMessage[],
  call: RemoteCall,
): Promise<readonly BatchItemFailure[]> {
  const result = await callFunction(messages, call);
  if (result.kind === 'answered') return readAnswer(messages, result, call);
  if (result.kind === 'unseen') {
    return messages.map(({ id }) => ({ itemIdentifier: id, action: 'retry', delayMs: 0, unseen: true }));
  }
  if (result.kind === 'unknown') return retryAll(messages, result.reason);
  const [only] = messages;
  if (only !== undefined && messages.length === 1) {
    return [{ itemIdentifier: only.id, action: 'deadLetter', reason: result.reason }];
  }
  // Inside this invocation and its slot: halving costs no delivery.
  const half = Math.ceil(messages.length / 2);
  const first = await handleRemotely(messages.slice(0, half), call);
  return [...first, ...(await handleRemotely(messages.slice(half), call))];
}

async function callFunction(messages: readonly StoredMessage[], call: RemoteCall): Promise<CallResult> {
  const payload = call.encode(messages);
  if (payload.byteLength > call.limitBytes) {
    const reason = `the event of ${payload.byteLength} bytes is more than the ${call.limitBytes} bytes an invocation takes`;
    return { kind: 'payload', reason };
  }
  const { functionName } = call.mapping;
  for (let attempt = 1; ; attempt++) {
    if (call.cut.aborted || (attempt > 1 && call.stop.aborted)) return { kind: 'unseen' };
    const startedAt = call.clock.now();
    let error: unknown;
    try {
      const answer = await orAborted(call.lambda.invoke(functionName, payload, call.cut), call.cut, timeIsUp); // it need not obey the signal
      const durationMs = call.clock.now() - startedAt;
      call.onInvoked(messages.length, durationMs);
      return { kind: 'answered', answer, durationMs };
    } catch (caught) {
      error = caught;
    }
    const durationMs = call.clock.now() - startedAt;
    const fault = call.cut.aborted ? 'unknown' : classifyInvokeError(error);
    emitInvoke(call, messages.length, durationMs, messages.length, error);
    if (fault === 'payload') return { kind: 'payload', reason: short(`Lambda refused it: ${describeError(error)}`) };
    if (fault === 'mapping') {
      call.onFault(toInvokeError(call.mapping, error), true);
      return { kind: 'unseen' };
    }
    if (fault === 'unknown') {
      call.onInvoked(messages.length, durationMs);
      const why = call.cut.aborted ? 'time was up before the function answered' : describeError(error);
      return { kind: 'unknown', reason: short(`invoking ${functionName} failed: ${why}`) };
    }
    emit('memphis-serverless:retry', () => ({ operation: 'invoke', attempt, error }));
    await call.clock.wait(backoffMs(laterBackoff, attempt), AbortSignal.any([call.stop, call.cut]));
  }
}

export function timeIsUp(): MemphisError {
  return new MemphisError('DEADLINE_EXCEEDED', 'Time was up before the function answered.');
}

function readAnswer(
  messages: readonly StoredMessage[],
  { answer, durationMs }: { readonly answer: InvokeAnswer; readonly durationMs: number },
  call: RemoteCall,
): readonly BatchItemFailure[] {
  const failures = toFailures(messages, answer, call);
  const error = answer.FunctionError === undefined ? undefined : describeFunctionError(answer);
  emitInvoke(call, messages.length, durationMs, failures.length, error);
  return failures;
}

function toFailures(
  messages: readonly StoredMessage[],
  answer: InvokeAnswer,
  { mapping, onFault }: RemoteCall,
): readonly BatchItemFailure[] {
  if (answer.FunctionError !== undefined) return retryAll(messages, describeFunctionError(answer));
  if (!mapping.reportBatchItemFailures) return [];
  const parsed = parseResponseText(
    toText(answer.Payload),
    messages.map(({ id }) => id),
  );
  if (parsed.ok) return [...parsed.failed].map(([id, item]) => toItem(id, item));
  const problem = `${mapping.functionName} answered with no partial batch response: ${parsed.problem}`;
  // AWS retries such a batch without a word; here it is said aloud.
  onFault(
    new MemphisError('FUNCTION_FAILED', `${problem}. All its messages are retried.`, mappingDetails(mapping)),
    false,
  );
  return retryAll(messages, short(problem));
}

function toItem(itemIdentifier: string, item: FailedItem): BatchItemFailure {
  if (item.action !== 'giveBack') return { itemIdentifier, ...item };
  return { itemIdentifier, action: 'retry', delayMs: item.delayMs ?? 0, unseen: true };
}

function retryAll(messages: readonly StoredMessage[], reason: string): readonly BatchItemFailure[] {
  return messages.map(({ id }) => ({ itemIdentifier: id, action: 'retry', reason }));
}

/** Type and message of what a function threw; its stack trace stays in its own log. */
function describeFunctionError({ FunctionError, Payload }: InvokeAnswer): string {
  const error: unknown = parseJson(toText(Payload));
  const { errorType, errorMessage } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly errorType?: unknown;
    readonly errorMessage?: unknown;
  };
  const words = [errorType, errorMessage].filter((word) => typeof word === 'string' && word !== '');
  return short(`function failed: ${words.length === 0 ? String(FunctionError) : words.join(': ')}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const toText = (payload: InvokeAnswer['Payload']): string => (payload ? new TextDecoder().decode(payload) : '');

const short = (text: string): string =>
  text.length > MAX_REASON_LENGTH ? `${text.slice(0, MAX_REASON_LENGTH)}...` : text;

const mappingDetails = ({ station, group, functionName }: Mapping) => ({ station, group, functionName });

function toInvokeError(mapping: Mapping, error: unknown): MemphisError {
  const cause = error instanceof NotSentError ? error.cause : error;
  return new MemphisError(
    'INVOKE_FAILED',
    `Mapping ${mapping.name} cannot invoke ${mapping.functionName}: ${short(describeError(cause))}. ` +
      "Its messages stay in the station; check the function's name, its state and the poller's permissions.",
    { ...mappingDetails(mapping), cause },
  );
}

function emitInvoke(call: RemoteCall, messages: number, durationMs: number, failed: number, error: unknown): void {
  emit('memphis-serverless:invoke', () => ({
    mapping: call.mapping.name,
    functionName: call.mapping.functionName,
    messages,
    durationMs,
    failed,
    ...(error !== undefined && { error }),
  }));
}
