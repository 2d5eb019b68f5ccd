/** The next turn of the event loop. */

/** When sockets have been read, what was written has left, and callbacks of what has just ended have run. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
