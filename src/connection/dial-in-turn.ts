/**
 * Dials several servers until one answers. A server that refuses costs nothing; one that is silent keeps its whole
 * time, but the next one is dialled beside it, so that a host which swallows packets does not eat the time of all.
 */

import { isMemphisError } from '../model/errors.ts';
import type { Connection } from './port.ts';

/** How long a silent server is alone. */
export const STAGGER_MS = 500;

/** A server that could not be used, and why; no error: it was silent until another one answered. */
export interface Failure<T> {
  readonly target: T;
  readonly error?: unknown;
}

/** How it ended; without a winner each target is among the failures, unless it was given up. */
export interface DialResult<T> {
  readonly winner?: { readonly target: T; readonly connection: Connection };
  readonly failures: readonly Failure<T>[];
}

/** What is waited for: that requests can leave, or that the server has accepted the credentials. */
export type Until = 'opened' | 'accepted';

/** Another server may do better where one fails so, from the least to the most telling; a damaged seed is so everywhere. */
export const OF_ONE_SERVER: readonly string[] = ['CONNECT_FAILED', 'TLS_FAILED', 'AUTHENTICATION_FAILED'];

function concernsOneServer(error: unknown): boolean {
  return !isMemphisError(error) || OF_ONE_SERVER.includes(error.code);
}

/**
 * Never rejects. What was begun and did not win is closed when it resolves.
 *
 * @param targets in the order to try them
 * @param dial starts one; ends it by itself when its time is up
 * @param options.onBegin told how it is given up
 */
export function dialInTurn<T>(
  targets: readonly T[],
  dial: (target: T) => Connection,
  options: { readonly staggerMs: number; readonly until: Until; onBegin(giveUp: () => void): void },
): Promise<DialResult<T>> {
  const { staggerMs, until } = options;
  return new Promise((resolve) => {
    /** Under way, in the order they were begun. */
    const open = new Map<Connection, T>();
    const failures: Failure<T>[] = [];
    let begun = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = (winner?: Connection): void => {
      clearTimeout(timer);
      begun = targets.length;
      let isBehind = winner === undefined;
      const result = winner && { winner: { target: open.get(winner) as T, connection: winner } };
      for (const [connection, target] of open) {
        if (connection === winner) isBehind = true;
        else void connection.close();
        if (!isBehind) failures.push({ target });
      }
      open.clear();
      resolve({ ...result, failures });
    };
    const begin = (): void => {
      clearTimeout(timer);
      if (begun === targets.length) {
        if (open.size === 0) end();
        return;
      }
      const target = targets[begun++] as T;
      const connection = dial(target);
      open.set(connection, target);
      if (begun < targets.length) timer = setTimeout(begin, staggerMs);
      connection[until].then(
        () => open.has(connection) && end(connection),
        (error: unknown) => {
          if (!open.delete(connection)) return;
          failures.push({ target, error });
          if (concernsOneServer(error)) begin();
          else end();
        },
      );
    };
    options.onBegin(() => end());
    begin();
  });
}
