/**
 * A limit of time for an answer, which counts what has arrived by then. After a freeze timers run before the sockets are
 * read: an answer that came meanwhile must not be given up for it, nor its connection be written to, since a write that
 * fails throws away what is there to be read.
 */

/**
 * @param onOver called when the time is over and what had arrived has been read
 * @returns ends it
 */
export function startTimeLimit(ms: number, onOver: () => void): () => void {
  let afterReading: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    afterReading = setImmediate(onOver);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(afterReading);
  };
}
