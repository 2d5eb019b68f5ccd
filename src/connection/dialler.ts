/** Dials for a link: one dial at a time, to whichever of its servers answers. */

import { isMemphisError, MemphisError } from '../model/errors.ts';
import { emit } from '../telemetry/channels.ts';
import type { Access, AccessSource } from './access.ts';
import type { ServerAddress } from './addresses.ts';
import { dialInTurn, type Failure, OF_ONE_SERVER, STAGGER_MS, type Until } from './dial-in-turn.ts';
import { monotonicMs } from './monotonic.ts';
import type { Connection, Dial } from './port.ts';
import { ServerList } from './server-list.ts';
import { leftUntil, within } from './within.ts';

/** How to dial; resolved and checked. */
export interface DiallerOptions extends AccessSource {
  readonly servers: readonly ServerAddress[];
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
  /** A server that is about to go. */
  readonly without?: ServerAddress;
  /** The server must have accepted the credentials; else it is enough that requests can leave. */
  readonly isAccepted?: boolean;
}

/** Limits of time count by another clock: they may end so much before their time by this one. */
const EARLY_MS = 2;

type Open = (address: ServerAddress) => Connection;

export class Dialler {
  readonly servers: ServerList;
  readonly #options: DiallerOptions;
  readonly #onOpen: (session: Session) => void;
  #underWay: Promise<Session> | undefined;
  #beganAtMs = 0;
  /** When whoever began it has no more time. */
  #cutAtMs = 0;
  #isClosed = false;
  /** Ends the dial that is under way; never a session that came of one. */
  #hangUp: (() => void) | undefined;

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
  dial(deadlineMs: number, options: StartOptions): Promise<Session> {
    if (this.#underWay) return this.#join(deadlineMs, options);
    this.#beganAtMs = Date.now();
    this.#cutAtMs = deadlineMs;
    this.#underWay = this.#start(deadlineMs, options).finally(() => {
      this.#underWay = undefined;
      this.#hangUp = undefined;
    });
    return this.#underWay;
  }

  /** Whether a dial would be that of somebody else. */
  get isUnderWay(): boolean {
    return this.#underWay !== undefined;
  }

  /** Ends what is under way. */
  giveUp(): void {
    this.#hangUp?.();
  }

  /** Gives up what is under way; later dials fail with `CLOSED`. */
  close(): void {
    this.#isClosed = true;
    this.giveUp();
  }

  async #join(deadlineMs: number, options: StartOptions): Promise<Session> {
    const { sinceMs = Date.now() } = options;
    const mayBeStale = this.#beganAtMs < sinceMs;
    const cutAtMs = this.#cutAtMs;
    try {
      const session = await within(this.#underWay as Promise<Session>, deadlineMs - Date.now());
      if (session !== undefined) return session;
      throw tooLate();
    } catch (error) {
      // it may have begun before a freeze, or have had less time: that it failed says nothing about now
      const saysNothing = mayBeStale || Date.now() + EARLY_MS >= cutAtMs;
      const isFinal = !saysNothing || !isMemphisError(error) || !error.retryable;
      if (isFinal || Date.now() >= deadlineMs) throw error;
    }
    return await this.dial(deadlineMs, { ...options, sinceMs: 0 });
  }

  async #start(deadlineMs: number, { without, isAccepted }: StartOptions): Promise<Session> {
    const untilMs = Math.min(deadlineMs, Date.now() + this.#options.timeoutMs);
    const leftMs = (): number => leftUntil(untilMs);
    const access = this.#options.access ?? (await this.#ask(leftMs()));
    const targets = this.servers.inTurn(without);
    const until = isAccepted ? 'accepted' : 'opened';
    if (access === undefined || this.#isClosed) throw this.#toError(targets, []);
    const open = (address: ServerAddress): Connection => this.#open(address, access, leftMs());
    const session = await (targets.length === 1
      ? this.#one(targets, open, until)
      : this.#several(targets, open, until, leftMs()));
    this.#hangUp = undefined;
    this.#onOpen(session);
    return session;
  }

  /** Nothing where it was given up: who gives it up does not wait for a function of the user's. */
  #ask(limitMs: number): Promise<Access | undefined> {
    const givenUp = new Promise<undefined>((resolve) => {
      this.#hangUp = () => resolve(undefined);
    });
    return Promise.race([this.#options.ask?.(limitMs, givenUp), givenUp]);
  }

  async #one(targets: readonly ServerAddress[], open: Open, until: Until): Promise<Session> {
    const address = targets[0] as ServerAddress;
    const connection = open(address);
    this.#hangUp = () => void connection.close();
    try {
      await connection[until];
      return { connection, address };
    } catch (error) {
      this.servers.failed(address);
      throw this.#toError(targets, [{ target: address, error }]);
    }
  }

  async #several(targets: readonly ServerAddress[], open: Open, until: Until, leftMs: number): Promise<Session> {
    const { winner, failures } = await dialInTurn(targets, open, {
      staggerMs: Math.min(STAGGER_MS, leftMs / (targets.length + 1)),
      until,
      onBegin: (giveUp) => {
        this.#hangUp = giveUp;
      },
    });
    for (const { target } of failures) this.servers.failed(target);
    if (winner === undefined) throw this.#toError(targets, failures);
    return { connection: winner.connection, address: winner.target };
  }

  #open(address: ServerAddress, access: Access, timeoutMs: number): Connection {
    const startedAt = monotonicMs();
    const connection = this.#options.dial({ ...access(address), name: 'memphis-serverless', timeoutMs });
    const report = (error?: unknown): void =>
      emit('memphis-serverless:dial', () => ({
        server: address.server,
        durationMs: monotonicMs() - startedAt,
        ...(error === undefined ? {} : { error }),
      }));
    connection.accepted.then(report, report);
    return connection;
  }

  /** The error that tells most. What servers say that nobody named counts only in words. */
  #toError(targets: readonly ServerAddress[], failures: readonly Failure<ServerAddress>[]): MemphisError {
    if (this.#isClosed) return wasClosed();
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

/** For whoever uses a client that was closed, be it meanwhile. */
export function wasClosed(): MemphisError {
  return new MemphisError('CLOSED', 'This client was closed; connect again.');
}

/** For a caller whose time is over. */
export function tooLate(): MemphisError {
  return new MemphisError('CONNECT_FAILED', 'Could not connect in the time that was left.');
}

/** What a dial rejects with; see `Dial`. */
function weight(error: unknown): number {
  return OF_ONE_SERVER.indexOf((error as MemphisError).code);
}
