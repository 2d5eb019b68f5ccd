/** Dials for a link: one dial at a time, to whichever of its servers answers. */

import { describeError, isMemphisError, MemphisError } from '../model/errors.ts';
import { emit } from '../telemetry/channels.ts';
import type { Access } from './access.ts';
import type { ServerAddress } from './addresses.ts';
import { dialInTurn, type Failure, STAGGER_MS } from './dial-in-turn.ts';
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

interface StartOptions {
  /** Gives the dial up, unless it was under way before. */
  readonly signal?: AbortSignal;
  /** A server that is about to go. */
  readonly without?: ServerAddress;
}

export class Dialler {
  readonly servers: ServerList;
  readonly #options: DiallerOptions;
  readonly #onOpen: (session: Session) => void;
  readonly #closing = new AbortController();
  #underWay: Promise<Session> | undefined;

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
    const joined = this.#underWay;
    if (joined !== undefined) {
      try {
        return await this.#join(joined, deadlineMs);
      } catch (error) {
        // it may have begun before a freeze: that it failed says nothing about now
        if (!isMemphisError(error) || !error.retryable || Date.now() >= deadlineMs) throw error;
      }
    }
    if (this.#underWay !== undefined) return await this.#join(this.#underWay, deadlineMs);
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

  async #start(deadlineMs: number, { signal, without }: StartOptions): Promise<Session> {
    const untilMs = Math.min(deadlineMs, Date.now() + this.#options.timeoutMs);
    const leftMs = (): number => Math.max(1, untilMs - Date.now());
    const access = await this.#options.access(leftMs());
    const targets = this.servers.inTurn(without);
    const { winner, failures } = await dialInTurn(targets, (address) => this.#open(address, access, leftMs()), {
      staggerMs: Math.min(STAGGER_MS, leftMs() / (targets.length + 1)),
      signal: signal === undefined ? this.#closing.signal : AbortSignal.any([this.#closing.signal, signal]),
    });
    for (const { target } of failures) this.servers.failed(target);
    if (winner === undefined) throw this.#closing.signal.aborted ? closed() : this.#toError(targets, failures);
    const { connection, target: address } = winner;
    this.servers.worked(address);
    this.servers.learn(connection.peers, address);
    const session = { connection, address };
    this.#onOpen(session);
    return session;
  }

  #open(address: ServerAddress, access: Access, timeoutMs: number): Connection {
    const startedAt = performance.now();
    const report = (error?: unknown): void =>
      emit('memphis-serverless:dial', () => ({
        server: address.server,
        durationMs: performance.now() - startedAt,
        ...(error === undefined ? {} : { error }),
      }));
    const connection = this.#options.dial({ ...access(address), name: 'memphis-serverless', timeoutMs });
    connection.info.then(() => report(), report);
    return connection;
  }

  /** The error that tells most. What servers say that nobody named counts only in words. */
  #toError(targets: readonly ServerAddress[], failures: readonly Failure<ServerAddress>[]): MemphisError {
    const errors = failures.map(({ target, error }) => ({ target, error: toMemphis(target, error) }));
    const fatal = errors.find(({ error }) => !(error.code in weights));
    if (fatal !== undefined) return fatal.error;
    const counting = errors.filter(({ target }) => this.servers.isConfigured(target));
    const [worst] = (counting.length === 0 ? errors : counting).sort((a, b) => weight(b.error) - weight(a.error));
    if (worst === undefined) return new MemphisError('CONNECT_FAILED', 'Could not connect: no other server is known.');
    if (targets.length === 1) return worst.error;
    const words = errors.map(({ error }) => error.message).join(' ');
    return new MemphisError(worst.error.code, `None of ${targets.length} servers could be used. ${words}`, {
      cause: worst.error,
    });
  }
}

const weights: Readonly<Record<string, number>> = { CONNECT_FAILED: 0, TLS_FAILED: 1, AUTHENTICATION_FAILED: 2 };
const weight = ({ code }: MemphisError): number => weights[code] ?? 0;

const closed = (): MemphisError => new MemphisError('CLOSED', 'This client was closed while it was connecting.');

function toMemphis({ server }: ServerAddress, error: unknown): MemphisError {
  if (isMemphisError(error)) return error;
  const words = `Could not connect to ${server}: ${describeError(error)}.`;
  return new MemphisError('CONNECT_FAILED', words, { cause: error, server });
}
