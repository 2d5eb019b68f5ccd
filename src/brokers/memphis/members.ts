/**
 * Members: rows that a broker shows in its lists, and without which it keeps no dead letters of a group. A row belongs to a
 * connection, so each connection registers once, beside the work that needs nobody's answer (memphis-wire 9.4).
 */

import type { Connection } from '../../connection/port.ts';
import { within } from '../../connection/within.ts';
import { nextTurn } from '../../model/next-turn.ts';
import { emitRetry } from '../../telemetry/channels.ts';

/** A broker asks a host on the internet before it answers, where it is not told otherwise (9.2). */
const REGISTER_LIMIT_MS = 20_000;
/** How long closing waits for it. */
const CLOSE_LIMIT_MS = 5_000;

interface Joined {
  readonly connection: Connection;
  readonly answer: Promise<unknown>;
}

export class Members {
  readonly #known = new Map<string, Joined>();
  readonly #underWay = new Set<Promise<unknown>>();

  /**
   * Registers, where this connection has not: at the next turn, behind what this one writes. Never rejects: without a row
   * all works but what the broker lists and keeps by it.
   *
   * @param key what is registered
   * @returns resolves with what was answered, or with nothing where it was refused
   */
  join<T>(
    connection: Connection,
    key: string,
    register: (connection: Connection, timeoutMs: number) => Promise<T>,
  ): Promise<T | undefined> {
    const known = this.joined(connection, key);
    if (known !== undefined) return known as Promise<T | undefined>;
    const answer = nextTurn()
      .then(() => register(connection, REGISTER_LIMIT_MS))
      .catch((error: unknown) => {
        emitRetry('register', 1, error);
        if (this.#known.get(key)?.answer === answer) this.forget(key); // the next use asks again
        return undefined;
      });
    this.#known.set(key, { connection, answer });
    this.#underWay.add(answer);
    void answer.then(() => this.#underWay.delete(answer));
    return answer;
  }

  /** The answer to a registration that may be under way; nothing where none was sent. Never rejects. */
  joined(connection: Connection, key: string): Promise<unknown> | undefined {
    const known = this.#known.get(key);
    return known?.connection === connection ? known.answer : undefined;
  }

  /** Forgets one, so that it is registered anew. */
  forget(key: string): void {
    this.#known.delete(key);
  }

  /** Waits for answers that are under way: a connection that ends before them leaves a row that looks alive for ever. */
  async settled(): Promise<void> {
    await within(Promise.all(this.#underWay), CLOSE_LIMIT_MS);
  }
}
