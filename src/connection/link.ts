/**
 * A link: the connection that is there when it is needed. Dials on use, and replaces a session that ended, did not
 * survive a freeze, or whose server is about to go. No timer of it outlives a call.
 */

import { backoffMs } from '../model/backoff.ts';
import { isMemphisError, MemphisError } from '../model/errors.ts';
import { emit } from '../telemetry/channels.ts';
import { Dialler, type DiallerOptions, type Session } from './dialler.ts';
import { HEDGE_AFTER_MS, judgeIdle, PING_LIMIT_MS } from './liveness.ts';
import type { Connection } from './port.ts';
import { within } from './within.ts';

/** How a link dials; resolved and checked. */
export interface LinkOptions extends DiallerOptions {
  readonly reconnect: boolean;
  readonly maxReconnect: number;
  readonly reconnectIntervalMs: number;
}

/** How long another server is looked for while the old one still answers, and how long it is used when there is none. */
const LEAVE_LIMIT_MS = 1_000;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Link {
  readonly #options: LinkOptions;
  readonly #dialler: Dialler;
  #session: Session | undefined;
  /** Left behind because their servers are about to go; what is under way on them may end there. */
  readonly #retired = new Set<Connection>();
  /** One check at a time of a session that was idle. */
  #checking: Promise<void> | undefined;
  #everOpen = false;
  #isClosed = false;
  #usedAtWall = 0;
  #usedAtMonotonic = 0;
  #stayUntilMs = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#dialler = new Dialler(options, (session) => this.#arrived(session));
  }

  /** Whether a session is up, as far as this side knows. */
  isConnected(): boolean {
    return this.#session !== undefined && !this.#session.connection.isClosed;
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
   * @throws MemphisError `CONNECT_FAILED`, `AUTHENTICATION_FAILED`, `TLS_FAILED`, `CLOSED`
   */
  async ready(deadlineMs: number, signal?: AbortSignal): Promise<Connection> {
    if (this.#isClosed) throw new MemphisError('CLOSED', 'This client was closed; connect again.');
    const session = (await this.#usable(deadlineMs)) ?? (await this.#redial(deadlineMs, signal));
    this.#touch();
    return session.connection;
  }

  /** Gives up a connection that did not answer, so that the next use dials. */
  discard(connection: Connection, reason: string): void {
    if (this.#retired.has(connection)) void connection.close();
    if (this.#session?.connection !== connection) return;
    this.#drop(reason);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#dialler.close();
    const open = [...this.#retired, ...(this.#session === undefined ? [] : [this.#session.connection])];
    this.#session = undefined;
    await Promise.all(open.map((connection) => connection.close()));
  }

  #touch(): void {
    this.#usedAtWall = Date.now();
    this.#usedAtMonotonic = performance.now();
  }

  #drop(reason: string): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    this.#dialler.servers.learn(session.connection.peers, session.address);
    emit('memphis-serverless:replace', () => ({ reason }));
    void session.connection.close();
  }

  /** Takes over what was dialled: in place of nothing, of a session that is silent, or of one that is to be left. */
  #arrived(next: Session): void {
    if (this.#isClosed) return void next.connection.close();
    const old = this.#session;
    if (old?.connection.isLeaving === true && !old.connection.isClosed) {
      this.#retired.add(old.connection);
      void old.connection.closed.then(() => this.#retired.delete(old.connection));
      this.#session = undefined;
      emit('memphis-serverless:replace', () => ({ reason: 'the server is about to go' }));
    } else this.#drop('no answer after a pause');
    this.#session = next;
    this.#everOpen = true;
    this.#touch();
  }

  async #usable(deadlineMs: number): Promise<Session | undefined> {
    const session = this.#session;
    if (session === undefined) return undefined;
    if (session.connection.isClosed) {
      this.#drop('the session had ended');
      return undefined;
    }
    const idleMs = Date.now() - this.#usedAtWall;
    const verdict = judgeIdle(idleMs, performance.now() - this.#usedAtMonotonic);
    if (verdict !== 'use') {
      this.#checking ??= this.#check(session, idleMs, verdict === 'ping', deadlineMs).finally(() => {
        this.#checking = undefined;
      });
      await this.#checking;
    }
    return this.#session?.connection.isLeaving === true ? this.#leave(this.#session, deadlineMs) : this.#session;
  }

  /** Afterwards the session is good, replaced, or gone. */
  async #check(session: Session, idleMs: number, mayAsk: boolean, deadlineMs: number): Promise<void> {
    const isAlive = mayAsk && (await this.#answers(session, deadlineMs));
    emit('memphis-serverless:thaw', () => ({ idleMs, verdict: isAlive ? 'alive' : 'replaced' }));
    if (!isAlive && this.#session === session) this.#drop(`idle for ${idleMs} ms`);
  }

  /** Pings. When the answer is late, another session is dialled beside it, and what comes first is used. */
  async #answers({ connection }: Session, deadlineMs: number): Promise<boolean> {
    const ping = connection.flush(PING_LIMIT_MS).then(
      () => true,
      () => false,
    );
    if (!this.#options.reconnect) return await ping;
    const early = await within(ping, HEDGE_AFTER_MS);
    if (early !== undefined) return early;
    const giveUp = new AbortController();
    const replaced = this.#dialler.dial(deadlineMs, { signal: giveUp.signal }).then(
      () => false,
      () => ping,
    );
    const isAlive = await Promise.race([ping, replaced]);
    if (isAlive) giveUp.abort();
    return isAlive;
  }

  /** Looks for another server. While there is none, the one that is about to go still answers. */
  async #leave(session: Session, deadlineMs: number): Promise<Session | undefined> {
    const { connection, address } = session;
    if (!this.#options.reconnect || Date.now() < this.#stayUntilMs) return session;
    this.#dialler.servers.learn(connection.peers, address);
    try {
      return await this.#dialler.dial(Math.min(deadlineMs, Date.now() + LEAVE_LIMIT_MS), { without: address });
    } catch {
      this.#stayUntilMs = Date.now() + LEAVE_LIMIT_MS;
      return connection.isClosed ? undefined : session;
    }
  }

  async #redial(deadlineMs: number, signal: AbortSignal | undefined): Promise<Session> {
    const { reconnect, maxReconnect, reconnectIntervalMs } = this.#options;
    if (this.#everOpen && !reconnect) {
      throw new MemphisError('CONNECTION_LOST', 'The connection has ended and reconnect is off.', { retryable: false });
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#dialler.dial(deadlineMs);
      } catch (error) {
        const canRepeat = this.#everOpen && isMemphisError(error) && error.retryable && attempt <= maxReconnect;
        const waitMs = backoffMs({ baseMs: Math.min(50, reconnectIntervalMs), maxMs: reconnectIntervalMs }, attempt);
        if (!canRepeat || this.#isClosed || signal?.aborted || Date.now() + waitMs >= deadlineMs) throw error;
        emit('memphis-serverless:retry', () => ({ operation: 'dial', attempt, error }));
        await wait(waitMs);
        if (this.#session !== undefined && !this.#session.connection.isClosed) return this.#session;
      }
    }
  }
}
