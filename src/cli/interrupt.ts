/** Long work that signals end: what it has begun is taken back before the command ends. */

/** A signal has ended the work; its text says what is left of it. */
export class Interrupted extends Error {}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * @param run is to throw what its signal was aborted with; a second signal ends the process
 * @param words what is left when it has
 * @throws Interrupted; and as `run` does
 */
export async function untilInterrupted<T>(words: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort(new Interrupted(words));
  for (const signal of SIGNALS) process.once(signal, stop);
  try {
    return await run(interrupt.signal);
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, stop);
  }
}
