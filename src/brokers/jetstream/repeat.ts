/**
 * Repeating what is safe to repeat. Rules (jetstream-servers, Clusters): an election takes 4 to 7 s, during which
 * requests get a 503 or silence; silence says neither done nor lost; so ask again, with the same message id.
 */

import type { Link } from '../../connection/link.ts';
import type { Connection, ServerInfo } from '../../connection/port.ts';
import { leftUntil, wait } from '../../connection/within.ts';
import { backoffMs } from '../../model/backoff.ts';
import { isMemphisError, MemphisError } from '../../model/errors.ts';
import { emitRetry } from '../../telemetry/channels.ts';

/** How long one try waits for its answer. */
const TRY_LIMIT_MS = 2_000;
/** How long a silent server has to answer a ping before its connection is given up. */
const PING_LIMIT_MS = 300;

/**
 * How long trouble is ridden out where no caller says how long: longer than an election, twice. A server waits 4 to 9 s
 * for its leader; when the first to lose patience lags behind, it is not elected, and the waiting begins anew.
 */
export const PATIENCE_MS = 20_000;

/** Whether nothing is known of what was asked. */
export function isUnanswered(error: unknown): error is MemphisError {
  return isMemphisError(error, 'CONNECTION_LOST') || isMemphisError(error, 'TIMEOUT');
}

/** Whether a failure may be over at the next try. */
export function healsByItself(error: unknown): boolean {
  return (
    isUnanswered(error) ||
    isMemphisError(error, 'CONNECT_FAILED') ||
    (isMemphisError(error, 'JETSTREAM_UNAVAILABLE') && error.retryable)
  );
}

/**
 * Runs one operation, again and again while it fails in a way that patience heals, until time is up.
 * Only for operations that may be done twice.
 *
 * @param operation its name on the retry channel; each `publish` carries a message id
 * @param run one try; gets the time it may take
 * @param signal after it no further try is made: the error of the last one is thrown
 */
export async function repeat<T>(
  link: Link,
  operation: string,
  timeoutMs: number,
  run: (connection: Connection, tryLimitMs: number, attempt: number) => Promise<T>,
  signal?: Pick<AbortSignal, 'aborted'>,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  let unanswered: unknown;
  for (let attempt = 1; ; attempt++) {
    let connection: Connection | undefined;
    try {
      connection = link.atHand ?? (await link.ready(deadlineMs, { signal, mayRepeat: operation === 'publish' }));
      return await run(connection, Math.min(TRY_LIMIT_MS, leftUntil(deadlineMs)), attempt);
    } catch (error) {
      const waitMs = await waitBehind(error, link, connection, attempt, deadlineMs);
      if (connection && isUnanswered(error)) unanswered = error;
      if (signal?.aborted || Date.now() + waitMs >= deadlineMs) throw afterTry(error, unanswered);
      await waitFor(waitMs, operation, attempt, error);
    }
  }
}

/**
 * What to throw at the end. A dial that failed says that nothing was sent, which is wrong behind a try that nobody answered.
 *
 * @param earlier what such a try ended with
 */
export function afterTry(error: unknown, earlier: unknown): unknown {
  if (!isMemphisError(error, 'CONNECT_FAILED') || !isUnanswered(earlier)) return error;
  return new MemphisError(earlier.code, `${earlier.message} ${error.message}`, { cause: error });
}

async function waitFor(waitMs: number, operation: string, attempt: number, error: unknown): Promise<void> {
  emitRetry(operation, attempt, error);
  if (waitMs > 0) await wait(waitMs);
}

/** How long to wait before the next try. @throws the error, where another try would not mend it */
async function waitBehind(
  error: unknown,
  link: Link,
  connection: Connection | undefined,
  attempt: number,
  deadlineMs: number,
): Promise<number> {
  if (!healsByItself(error)) throw error;
  if (!connection && !link.wasOpen) throw error; // the first dial is the caller's to repeat
  if (connection) await giveUpIfDead(link, connection, error, deadlineMs);
  // a session that was lost is replaced at once
  const isLost = attempt === 1 && isMemphisError(error, 'CONNECTION_LOST');
  return isLost ? 0 : backoffMs({ baseMs: 50, maxMs: 250 }, attempt);
}

/**
 * What the server at the other end says of itself. A session may be used before that has come, and may end before it comes:
 * then the next one is asked.
 *
 * @throws MemphisError what dialling throws
 */
export function infoOf(link: Link, timeoutMs: number): Promise<ServerInfo> {
  return repeat(link, 'look at the server', timeoutMs, (connection) => connection.info);
}

/** Pings under way: thousands of operations may have met the same silence. */
const pings = new WeakMap<Connection, Promise<void>>();

/** A silent connection may be black-holed: no answer to a ping either means a new one. Without the time for that the next use finds out. */
async function giveUpIfDead(link: Link, connection: Connection, error: unknown, deadlineMs: number): Promise<void> {
  if (connection.isClosed) return link.discard(connection, 'the session had ended');
  if (!isMemphisError(error, 'TIMEOUT') || Date.now() + PING_LIMIT_MS > deadlineMs) return;
  let ping = pings.get(connection);
  if (!ping) {
    ping = connection
      .flush(PING_LIMIT_MS)
      .catch(() => link.discard(connection, 'no answer to a ping'))
      .finally(() => pings.delete(connection));
    pings.set(connection, ping);
  }
  await ping;
}
