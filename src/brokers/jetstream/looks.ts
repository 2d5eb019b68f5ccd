/** Look-ups that several callers share, each of whom waits by its own limit. What was found stays until it is deleted. */

import { within } from '../../connection/within.ts';
import { MemphisError } from '../../model/errors.ts';
import { healsByItself, PATIENCE_MS } from './repeat.ts';

/** Who has less more time than this than another one has as long. */
const AS_LONG_MS = 100;

interface Look<V> {
  readonly found: Promise<V>;
  /** Wall-clock time until which it goes on. */
  readonly untilMs: number;
  /** What it came to. */
  value?: V;
}

export class Looks<K, V> extends Map<K, Look<V>> {
  readonly #what: string;
  readonly #look: (key: K, limitMs: number) => Promise<V>;

  /** @param what a key stands for, in errors @param look tries for so long */
  constructor(what: string, look: (key: K, limitMs: number) => Promise<V>) {
    super();
    this.#what = what;
    this.#look = look;
  }

  /**
   * What is known, or is found.
   *
   * @param patienceMs how long trouble is ridden out; 20 s at most
   * @throws what looking throws; MemphisError `TIMEOUT` where somebody else goes on looking
   */
  find(key: K, patienceMs: number): Promise<V> {
    const limitMs = Math.min(patienceMs, PATIENCE_MS);
    const untilMs = Date.now() + limitMs;
    let look = this.get(key);
    if (look === undefined) {
      look = { found: this.#look(key, limitMs), untilMs };
      this.set(key, look);
      this.#follow(key, look);
    } else if (look.value === undefined && Math.abs(untilMs - look.untilMs) > AS_LONG_MS) {
      return this.#join(key, look, untilMs);
    }
    return look.found;
  }

  /** What was found by now. */
  known(key: K): V | undefined {
    return this.get(key)?.value;
  }

  /** Looks anew at what is known, which is in use until then. Never rejects. */
  async renew(key: K, limitMs: number): Promise<void> {
    const look = this.get(key);
    const value = await this.#look(key, limitMs).catch(() => undefined);
    if (value !== undefined && this.get(key) === look)
      this.set(key, { found: Promise.resolve(value), untilMs: 0, value });
  }

  #follow(key: K, look: Look<V>): void {
    look.found.then(
      (value) => {
        look.value = value;
      },
      () => this.get(key) === look && this.delete(key),
    );
  }

  /** One that was begun by somebody who has more time, or less. */
  async #join(key: K, look: Look<V>, untilMs: number): Promise<V> {
    try {
      const value = await within(look.found, untilMs - Date.now());
      if (value !== undefined) return value;
      throw new MemphisError('TIMEOUT', `Could not look up ${this.#what} ${key}: no answer in the time that was left.`);
    } catch (error) {
      // a look may go on past its time: who asks for more answers than one
      const isOver = untilMs < look.untilMs || Date.now() >= untilMs;
      if (isOver || !healsByItself(error)) throw error;
    }
    return this.find(key, untilMs - Date.now());
  }
}
