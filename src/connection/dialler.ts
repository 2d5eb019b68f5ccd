/** Dials for a link: one dial at a time, to whichever of its servers answers. */

import { isMemphisError, MemphisError } from '../model/errors.ts';
import { emit } from '../telemetry/channels.ts';
import type { Access } from './access.ts';
import type { ServerAddress } from './addresses.ts';
import { dialInTurn, type Failure, OF_ONE_SERVER, STAGGER_MS } from './dial-in-turn.ts';
import { monotonicMs } from './monotonic.ts';
import type { Connection, Dial } from './port.ts';
import { ServerList } from './server-list.ts';
import { within } from './within.ts';

/** How to dial; resolved and checked. */
export interface DiallerOptions {
  readonly servers: readonly ServerAddress[];
  /** Asked at each dial, so that rotated credentials are met. */
  readonly access: (limitMs: number) => Promise<Access>;
  readonly dial: Dial;
  /** For one dial, `access` included. */
  readonly timeoutMs: number;
}

/** An open connection, and where it leads. */
export interface Session {
  readonly connection: Connection;
  readonly address: ServerAddress;
}

/** How a dial is made, unless it is under way. */
export interface StartOptions {
  /** When the caller began, by the wall clock: a dial that began later fails for it too. */
  readonly sinceMs?: number;
  /** Gives the dial up. */
  readonly signal?: AbortSignal;
  /** A server that is about to go. */
  readonly without?: ServerAddress;
  /** The server must have accepted the credentials; else it is enough that requests can leave. */
  readonly isAccepted?: boolean;
}

export class Dialler {
  readonly servers: ServerList;
  readonly #options: DiallerOptions;
  readonly #onOpen: (session: Session) => void;
  readonly #closing = new AbortController();
  #underWay: Promise<Session> | undefined;
  #beganAtMs = 0;

  /** @param onOpen takes each session over, before those who wait for it hear of it */
  constructor(options: DiallerOptions, onOpen: (session: Session) => void) {
    this.#options = options;
    this.#onOpen = onOpen;
    this.servers = new ServerList(options.servers);
  }

  /**
   * A new session: that of the dial that is under way, else of one that begins now.
   *
   * @param deadlineMs wall-clock time until which this caller waits
   * @throws MemphisError `CONNECT_FAILED`, `AUTHENTICATION_FAILED`, `TLS_FAILED`, `INVALID_OPTION`, `CLOSED`
   */
  async dial(deadlineMs: number, options: StartOptions = {}): Promise<Session> {
    const { sinceMs = Date.now() } = options;
    const mayBeStale = this.#beganAtMs < sinceMs;
    try {
      if (this.#underWay !== undefined) return await this.#join(this.#underWay, deadlineMs);
    } catch (error) {
      // it may have begun before a freeze: that it failed says nothing about now
      const isFinal = !mayBeStale || !isMemphisError(error) || !error.retryable;
      if (isFinal || Date.now() >= deadlineMs) throw error;
    }
    if (this.#underWay !== undefined) return await this.#join(this.#underWay, deadlineMs);
    this.#beganAtMs = Date.now();
    this.#underWay = this.#start(deadlineMs, options).finally(() => {
      this.#underWay = undefined;
    });
    return await this.#underWay;
  }

  /** Gives up what is under way; later dials fail with `CLOSED`. */
  close(): void {
    this.#closing.abort();
  }

  async #join(dial: Promise<Session>, deadlineMs: number): Promise<Session> {
    const session = await within(dial, deadlineMs - Date.now());
    if (session !== undefined) return session;
    throw new MemphisError('CONNECT_FAILED', 'Could not connect in the time that was left; connecting goes on.');
  }

  async #start(deadlineMs: number, { signal, without, isAccepted }: StartOptions): Promise<Session> {
    const untilMs = Math.min(deadlineMs, Date.now() + this.#options.timeoutMs);
    const leftMs = (): number => Math.max(1, untilMs - Date.now());
    const access = await this.#options.access(leftMs());
    const targets = this.servers.inTurn(without);
    const closing = this.#closing.signal;
    const { winner, failures } = await dialInTurn(targets, (address) => this.#open(address, access, leftMs()), {
      staggerMs: Math.min(STAGGER_MS, leftMs() / (targets.length + 1)),
      signal: signal === undefined ? closing : AbortSignal.any([closing, signal]),
      until: isAccepted ? 'accepted' : 'opened',
    });
    for (const { target } of failures) this.servers.failed(target);
    if (winner === undefined) {
      if (!closing.aborted) throw this.#toError(targets, failures);
      throw new MemphisError('CLOSED', 'This client was closed while it was connecting.');
    }
    const session = { connection: winner.connection, address: winner.target };
    this.#onOpen(session);
    return session;
  }

  #open(address: ServerAddress, access: Access, timeoutMs: number): Connection {
    const startedAt = monotonicMs();
    const report = (more?: { readonly error: unknown }): void =>
      emit('memphis-serverless:dial', () => ({
        server: address.server,
        durationMs: monotonicMs() - startedAt,
        ...more,
      }));
    const connection = this.#options.dial({ ...access(address), name: 'memphis-serverless', timeoutMs });
    connection.accepted.then(
      () => report(),
      (error) => report({ error }),
    );
    return connection;
  }

  /** The error that tells most. What servers say that nobody named counts only in words. */
  #toError(targets: readonly ServerAddress[], failures: readonly Failure<ServerAddress>[]): MemphisError {
    const rank = ({ target, error }: Failure<ServerAddress>): number =>
      (this.servers.isConfigured(target) ? OF_ONE_SERVER.length : 0) + weight(error);
    const worst = failures.find(({ error }) => weight(error) < 0) ?? failures.toSorted((a, b) => rank(b) - rank(a))[0];
    if (worst === undefined) return new MemphisError('CONNECT_FAILED', 'Could not connect: no other server is known.');
    const cause = worst.error as MemphisError;
    if (targets.length === 1 || weight(cause) < 0) return cause;
    const words = failures.map(({ error }) => (error as MemphisError).message).join(' ');
    return new MemphisError(cause.code, `None of ${targets.length} servers could be used. ${words}`, { cause });
  }
}

/** What a dial rejects with; see `Dial`. */
const weight = (error: unknown): number => OF_ONE_SERVER.indexOf((error as MemphisError).code);
