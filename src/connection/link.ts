/**
 * A link: the connection that is there when it is needed. Dials on use, and replaces a session that ended, did not
 * survive a freeze, or whose server is about to go. No timer of it outlives a call, but for the second in which a session
 * that was replaced is heard out (docs/decisions/004).
 */

import { backoffMs } from '../model/backoff.ts';
import { isMemphisError, MemphisError } from '../model/errors.ts';
import { emit, emitRetry } from '../telemetry/channels.ts';
import { Dialler, type DiallerOptions, type Session, tooLate, wasClosed } from './dialler.ts';
import { answers, SILENT_AFTER_MS, silentMs } from './liveness.ts';
import type { Connection } from './port.ts';
import { wait, within } from './within.ts';

/** How a link dials; resolved and checked. */
export interface LinkOptions extends DiallerOptions {
  readonly reconnect: boolean;
  readonly maxReconnect: number;
  readonly reconnectIntervalMs: number;
}

/** What a use asks for. */
export interface ReadyOptions {
  /** Ends the repeating of dials early. */
  readonly signal?: Pick<AbortSignal, 'aborted'> | undefined;
  /**
   * A session that was silent is asked beside the use, not before it. Only for a publish with a message id: it is repeated
   * when its session turns out to be gone, and stored once.
   */
  readonly mayRepeat?: boolean;
  /** The server must have accepted the credentials. */
  readonly isAccepted?: boolean;
}

/** How long another server is looked for while the old one still answers, and how long it is used when there is none. */
const LEAVE_LIMIT_MS = 1_000;

export class Link {
  readonly #options: LinkOptions;
  readonly #dialler: Dialler;
  #session: Session | undefined;
  /** Left behind because their servers are about to go, or did not answer in time; what is under way on them may end there. */
  readonly #retired = new Set<Connection>();
  /** One check at a time of a session that was silent. */
  #checking: Promise<true> | undefined;
  #everOpen = false;
  /** The last session ended before its server had accepted it: the next one is used when it has. */
  #isDoubtful = false;
  #isClosed = false;
  #stayUntilMs = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#dialler = new Dialler(options, (session) => this.#arrived(session));
  }

  /** Whether a session is up, as far as this side knows. */
  isConnected(): boolean {
    const connection = this.#session?.connection;
    return connection?.isAccepted === true && !connection.isClosed;
  }

  /** Whether a session was up once: what failed since then may heal. */
  get wasOpen(): boolean {
    return this.#everOpen;
  }

  /** The connection that `ready` would give without waiting: it is open, and was heard a moment ago. */
  get atHand(): Connection | undefined {
    const connection = this.#session?.connection;
    if (connection === undefined || connection.isClosed || connection.isLeaving) return undefined;
    return silentMs(connection) > SILENT_AFTER_MS ? undefined : connection;
  }

  /**
   * A connection that is good for use now: the one that is open, checked when it was silent, or a new one, on which the
   * first requests may leave before the server has accepted the credentials.
   *
   * @param deadlineMs wall-clock time (`Date.now()`) until which dialling may be repeated
   * @throws MemphisError `CONNECT_FAILED`, `AUTHENTICATION_FAILED`, `TLS_FAILED`, `CLOSED`
   */
  async ready(deadlineMs: number, options: ReadyOptions = {}): Promise<Connection> {
    if (this.#isClosed) throw wasClosed();
    const sinceMs = Date.now();
    for (;;) {
      let session = this.#session;
      if (session !== undefined && this.atHand === undefined)
        session = await this.#usable(deadlineMs, options.mayRepeat);
      const { connection } = session ?? (await this.#redial(deadlineMs, sinceMs, options));
      const isGood = !options.isAccepted || connection.isAccepted || (await accepts(connection, deadlineMs));
      if (isGood) return connection;
    }
  }

  /** Gives up a connection that did not answer, so that the next use dials. */
  discard(connection: Connection, reason: string): void {
    if (this.#retired.has(connection)) void connection.close();
    if (this.#session?.connection !== connection) return;
    if (!connection.isClosed) this.#dialler.servers.failed(this.#session.address); // others first
    this.#drop(reason);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#dialler.close();
    const open = [...this.#retired, this.#session?.connection];
    this.#session = undefined;
    await Promise.all(open.map((connection) => connection?.close()));
  }

  #drop(reason: string): void {
    const session = this.#session;
    if (!session) return;
    this.#retire(session.connection);
    this.#dialler.servers.learn(session.connection.peers, session.address);
    emit('memphis-serverless:replace', () => ({ reason }));
    void session.connection.leave();
  }

  /** Takes over what was dialled: in place of nothing, of a session that is silent, or of one that is to be left. */
  #arrived(next: Session): void {
    const { connection, address } = next;
    if (this.#isClosed) return void connection.close();
    if (this.#session) this.#leaveBehind(this.#session.connection);
    this.#session = next;
    connection.accepted.then(
      () => {
        this.#everOpen = true;
        this.#isDoubtful = false;
        this.#dialler.servers.worked(address);
        this.#dialler.servers.learn(connection.peers, address);
      },
      () => {
        this.#isDoubtful = true;
        this.#dialler.servers.failed(address);
      },
    );
  }

  #leaveBehind(old: Connection): void {
    if (!old.isLeaving || old.isClosed) return void this.#drop('no answer after a pause');
    this.#retire(old);
    emit('memphis-serverless:replace', () => ({ reason: 'the server is about to go' }));
  }

  /** The session is no longer one that is handed out. */
  #retire(connection: Connection): void {
    this.#session = undefined;
    this.#retired.add(connection);
    void connection.closed.then(() => this.#retired.delete(connection));
  }

  async #usable(deadlineMs: number, mayRepeat = false): Promise<Session | undefined> {
    if (this.#session?.connection.isClosed) this.#drop('the session had ended');
    const session = this.#session;
    if (session === undefined) return undefined;
    if (silentMs(session.connection) > SILENT_AFTER_MS) {
      this.#checking ??= this.#check(session, deadlineMs).finally(() => {
        this.#checking = undefined;
      });
      // somebody else may have begun it, who has more time
      if (!mayRepeat && !(await within(this.#checking, deadlineMs - Date.now()))) throw tooLate();
    }
    return this.#session?.connection.isLeaving ? this.#leave(this.#session, deadlineMs) : this.#session;
  }

  /** Afterwards the session is good, replaced, or gone. Never rejects. */
  async #check(session: Session, deadlineMs: number): Promise<true> {
    const idleMs = Math.round(silentMs(session.connection));
    const isAlive = await answers(session, this.#dialler, deadlineMs, this.#options.reconnect);
    emit('memphis-serverless:thaw', () => ({ idleMs, verdict: isAlive ? 'alive' : 'replaced' }));
    if (!isAlive && this.#session === session) this.#drop(`silent for ${idleMs} ms`);
    return true;
  }

  /** Looks for another server. While there is none, the one that is about to go still answers. */
  async #leave(session: Session, deadlineMs: number): Promise<Session | undefined> {
    const { connection, address } = session;
    if (!this.#options.reconnect || Date.now() < this.#stayUntilMs) return session;
    this.#dialler.servers.learn(connection.peers, address);
    try {
      return await this.#dialler.dial(Math.min(deadlineMs, Date.now() + LEAVE_LIMIT_MS), {
        without: address,
        isAccepted: true,
      });
    } catch {
      this.#stayUntilMs = Date.now() + LEAVE_LIMIT_MS;
      return connection.isClosed ? undefined : session;
    }
  }

  async #redial(deadlineMs: number, sinceMs: number, { signal, isAccepted = false }: ReadyOptions): Promise<Session> {
    if (this.#everOpen && !this.#options.reconnect) throw hasEnded();
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#dialler.dial(deadlineMs, { sinceMs, isAccepted: isAccepted || this.#isDoubtful });
      } catch (error) {
        await this.#beforeNext(error, attempt, deadlineMs, signal);
      }
      if (this.#session?.connection.isClosed === false) return this.#session;
    }
  }

  /** Waits until the next dial. @throws what the last one failed with, when there is to be none */
  async #beforeNext(
    error: unknown,
    attempt: number,
    deadlineMs: number,
    signal: ReadyOptions['signal'],
  ): Promise<void> {
    const { maxReconnect, reconnectIntervalMs } = this.#options;
    const canRepeat = this.#everOpen && isMemphisError(error) && error.retryable && attempt <= maxReconnect;
    const waitMs = backoffMs({ baseMs: Math.min(50, reconnectIntervalMs), maxMs: reconnectIntervalMs }, attempt);
    if (!canRepeat || this.#isClosed || signal?.aborted || Date.now() + waitMs >= deadlineMs) throw error;
    emitRetry('dial', attempt, error);
    await wait(waitMs);
  }
}

function hasEnded(): MemphisError {
  return new MemphisError('CONNECTION_LOST', 'The connection has ended and reconnect is off.', { retryable: false });
}

/** Somebody else's dial may have waited for less. @throws MemphisError `CONNECT_FAILED` when there is no time left */
async function accepts(connection: Connection, deadlineMs: number): Promise<boolean> {
  await within(connection.accepted, deadlineMs - Date.now()).catch(() => {});
  if (!connection.isAccepted && Date.now() >= deadlineMs) throw tooLate();
  return connection.isAccepted;
}
