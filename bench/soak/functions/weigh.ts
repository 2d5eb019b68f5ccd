/** What a process holds: memory after a collection, and what keeps its loop alive. */

export interface Weight {
  readonly rssMb: number;
  readonly heapMb: number;
  /** Sockets and timers. */
  readonly handles: number;
}

const MB = 1024 ** 2;
const COUNTED = new Set(['TCPSocketWrap', 'TCPWRAP', 'TLSWRAP', 'Timeout', 'Immediate', 'PipeWrap']);

/** Needs `--expose-gc`. */
export function weigh(): Weight {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().filter((name) => COUNTED.has(name)).length;
  return { rssMb: rss / MB, heapMb: heapUsed / MB, handles };
}
