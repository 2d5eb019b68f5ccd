/** Limits of time for many at once: one timer serves all that begin within a moment, since setting one costs as much as sending. */

interface Alarm {
  readonly endMs: number;
  readonly rung: Promise<typeof RUNG>;
  readonly timer: NodeJS.Timeout;
  users: number;
}

/** How much earlier than asked for it may ring. */
const SHARED_MS = 50;
const LONGEST_MS = 2_147_483_647;
const RUNG = Symbol('late');

export class Alarms {
  #newest: Alarm | undefined;

  /** The outcome of some work, or `late` at its time, or up to a moment before. Leaves no timer; work given up may reject unheard. */
  async within<T>(work: Promise<T>, limitMs: number, late: () => Error): Promise<T> {
    const alarm = this.#set(limitMs);
    alarm.users++;
    try {
      const first = await Promise.race([work, alarm.rung]);
      if (first === RUNG) throw late();
      return first;
    } finally {
      if (--alarm.users === 0) {
        clearTimeout(alarm.timer);
        if (this.#newest === alarm) this.#newest = undefined;
      }
    }
  }

  #set(limitMs: number): Alarm {
    const endMs = Date.now() + limitMs;
    const newest = this.#newest;
    if (newest !== undefined && newest.endMs <= endMs && newest.endMs >= endMs - SHARED_MS) return newest;
    const { promise: rung, resolve } = Promise.withResolvers<typeof RUNG>();
    const timer = setTimeout(() => resolve(RUNG), Math.min(limitMs, LONGEST_MS));
    this.#newest = { endMs, rung, timer, users: 0 };
    return this.#newest;
  }
}
