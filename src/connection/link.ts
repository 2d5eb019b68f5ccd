/**
 * A link: the connection that is there when it is needed. Dials on use, one dial at a time, forgets failed
 * dials, and replaces a session that ended or did not survive a freeze. No timer of it outlives a call.
 */

import { backoffMs } from '../model/backoff.ts';
import { describeError, isMemphisError, MemphisError } from '../model/errors.ts';
import { emit } from '../telemetry/channels.ts';
import { judgeIdle, PING_LIMIT_MS } from './liveness.ts';
import type { Connection, Dial, DialOptions } from './port.ts';

/** How a link dials; resolved and checked. */
export interface LinkOptions {
  /** Asked at each dial, so that rotated credentials are met. */
  readonly dialOptions: () => Promise<DialOptions>;
  readonly dial: Dial;
  readonly reconnect: boolean;
  readonly maxReconnect: number;
  readonly reconnectIntervalMs: number;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Link {
  readonly #options: LinkOptions;
  #connection: Connection | undefined;
  #dialling: Promise<Connection> | undefined;
  #everOpen = false;
  #isClosed = false;
  #usedAtWall = 0;
  #usedAtMonotonic = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Whether a session is up, as far as this side knows. */
  isConnected(): boolean {
    return this.#connection !== undefined && !this.#connection.isClosed;
  }

  /** Whether a session was up once: what failed since then may heal. */
  get wasOpen(): boolean {
    return this.#everOpen;
  }

  /**
   * A connection that is good for use now: the one that is open, checked when it was idle, or a new one.
   *
   * @param deadlineMs wall-clock time (`Date.now()`) until which dialling may be repeated
   * @param signal ends the repeating early
   * @throws MemphisError `CONNECT_FAILED`, `AUTHENTICATION_FAILED`, `CLOSED`
   */
  async ready(deadlineMs: number, signal?: AbortSignal): Promise<Connection> {
    if (this.#isClosed) throw new MemphisError('CLOSED', 'This client was closed; connect again.');
    const connection = await this.#checked();
    if (connection !== undefined) return this.#touch(connection);
    return this.#touch(await this.#redial(deadlineMs, signal));
  }

  /** Gives up a connection that did not answer, so that the next use dials. */
  discard(connection: Connection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    emit('memphis-serverless:replace', () => ({ reason }));
    void connection.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const dialling = this.#dialling?.catch(() => undefined);
    const connection = this.#connection ?? (await dialling);
    this.#connection = undefined;
    await connection?.close();
  }

  #touch(connection: Connection): Connection {
    this.#usedAtWall = Date.now();
    this.#usedAtMonotonic = performance.now();
    return connection;
  }

  async #checked(): Promise<Connection | undefined> {
    const connection = this.#connection;
    if (connection === undefined) return undefined;
    if (connection.isClosed) {
      this.discard(connection, 'the session had ended');
      return undefined;
    }
    const wallMs = Date.now() - this.#usedAtWall;
    const verdict = judgeIdle(wallMs, performance.now() - this.#usedAtMonotonic);
    if (verdict === 'use') return connection;
    const alive =
      verdict === 'ping' &&
      (await connection.flush(PING_LIMIT_MS).then(
        () => true,
        () => false,
      ));
    emit('memphis-serverless:thaw', () => ({ idleMs: wallMs, verdict: alive ? 'alive' : 'replaced' }));
    if (alive) return connection;
    this.discard(connection, `idle for ${wallMs} ms`);
    return undefined;
  }

  async #redial(deadlineMs: number, signal: AbortSignal | undefined): Promise<Connection> {
    const { reconnect, maxReconnect, reconnectIntervalMs } = this.#options;
    if (this.#everOpen && !reconnect) {
      throw new MemphisError('CONNECTION_LOST', 'The connection has ended and reconnect is off.', { retryable: false });
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#dialOnce(deadlineMs);
      } catch (error) {
        const canRepeat = this.#everOpen && isMemphisError(error) && error.retryable && attempt <= maxReconnect;
        const waitMs = backoffMs({ baseMs: Math.min(50, reconnectIntervalMs), maxMs: reconnectIntervalMs }, attempt);
        if (!canRepeat || this.#isClosed || signal?.aborted || Date.now() + waitMs >= deadlineMs) throw error;
        emit('memphis-serverless:retry', () => ({ operation: 'dial', attempt, error }));
        await wait(waitMs);
      }
    }
  }

  /** One dial at a time: everybody waits for the same one. */
  #dialOnce(deadlineMs: number): Promise<Connection> {
    if (this.#connection !== undefined && !this.#connection.isClosed) return Promise.resolve(this.#connection);
    this.#dialling ??= this.#dial(deadlineMs).finally(() => {
      this.#dialling = undefined;
    });
    return this.#dialling;
  }

  async #dial(deadlineMs: number): Promise<Connection> {
    const startedAt = performance.now();
    const options = await this.#options.dialOptions();
    const timeoutMs = Math.max(1, Math.min(options.timeoutMs, deadlineMs - Date.now()));
    const server = options.servers.join(',');
    const report = (error?: unknown): void =>
      emit('memphis-serverless:dial', () => ({
        server,
        durationMs: performance.now() - startedAt,
        ...(error === undefined ? {} : { error }),
      }));
    const connection = this.#options.dial({ ...options, timeoutMs });
    try {
      await connection.info;
    } catch (error) {
      report(error);
      throw isMemphisError(error)
        ? error
        : new MemphisError('CONNECT_FAILED', `Could not connect to ${server}: ${describeError(error)}.`, {
            cause: error,
          });
    }
    report();
    if (this.#isClosed) {
      await connection.close();
      throw new MemphisError('CLOSED', 'This client was closed while it was connecting.');
    }
    this.#connection = connection;
    this.#everOpen = true;
    return connection;
  }
}
