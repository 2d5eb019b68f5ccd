/** Limits of time for many at once: one timer serves all that begin within a moment, since setting one costs as much as sending. */

interface Alarm {
  readonly endMs: number;
  readonly timer: NodeJS.Timeout;
  /** What it gives up. */
  readonly open: Set<() => void>;
}

/** How much earlier than asked for it may ring. */
const SHARED_MS = 50;
const LONGEST_MS = 2_147_483_647;

export class Alarms {
  #newest: Alarm | undefined;

  /**
   * The outcome of some work, or `late` at its time, or up to a moment before. Leaves no timer; work given up may reject unheard.
   *
   * @param onFailure told what the work rejects with
   */
  within<T>(work: Promise<T>, limitMs: number, late: () => Error, onFailure: (error: unknown) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const alarm = this.#set(limitMs);
      const giveUp = (): void => reject(late());
      alarm.open.add(giveUp);
      work.then(
        (value) => {
          this.#unset(alarm, giveUp);
          resolve(value);
        },
        (error) => {
          this.#unset(alarm, giveUp);
          onFailure(error);
          reject(error);
        },
      );
    });
  }

  #set(limitMs: number): Alarm {
    const endMs = Date.now() + limitMs;
    const newest = this.#newest;
    if (newest !== undefined && newest.endMs <= endMs && newest.endMs >= endMs - SHARED_MS) return newest;
    const open = new Set<() => void>();
    const ring = (): void => {
      for (const giveUp of open) giveUp();
    };
    this.#newest = { endMs, open, timer: setTimeout(ring, Math.min(limitMs, LONGEST_MS)) };
    return this.#newest;
  }

  #unset(alarm: Alarm, giveUp: () => void): void {
    alarm.open.delete(giveUp);
    if (alarm.open.size > 0) return;
    clearTimeout(alarm.timer);
    if (this.#newest === alarm) this.#newest = undefined;
  }
}
