/** Waiting for what knows no signal, and no longer than a signal allows. */

/**
 * What a promise comes to, unless the signal aborts first. Leaves no listener; what the promise comes to later is heard by nobody.
 *
 * @param why what it rejects with when the signal has aborted
 */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal, why: () => Error): Promise<T> {
  let onAbort: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(why());
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    promise.catch(() => undefined);
  }
}
