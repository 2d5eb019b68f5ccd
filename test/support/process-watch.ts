/** Watches what reaches the process around a piece of work: unhandled rejections, and lines on stderr. */

/** What was seen. */
export interface Watched<T> {
  readonly result: T;
  readonly rejections: readonly unknown[];
  /** Texts that went to `console.error`. */
  readonly lines: readonly string[];
}

/** Runs some work and gives late callbacks a few turns. Not for tests that run at the same time in one process. */
export async function watchProcess<T>(work: () => Promise<T>): Promise<Watched<T>> {
  const rejections: unknown[] = [];
  const lines: string[] = [];
  const onRejection = (reason: unknown): void => {
    rejections.push(reason);
  };
  const print = console.error;
  console.error = (...parts: unknown[]) => lines.push(parts.map(String).join(' '));
  process.on('unhandledRejection', onRejection);
  try {
    const result = await work();
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    return { result, rejections, lines };
  } finally {
    process.off('unhandledRejection', onRejection);
    console.error = print;
  }
}
