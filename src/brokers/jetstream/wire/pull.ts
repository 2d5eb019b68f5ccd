/** Asking a durable for messages: one request, many frames in answer, an end that is always known. */

import type { Connection, Frame } from '../../../connection/port.ts';
import { NO_LIMIT } from '../../../model/deadline.ts';
import { isMemphisError } from '../../../model/errors.ts';
import { refusalOf } from './api.ts';
import { durableInfo } from './consumers.ts';

/**
 * How a pull ended: `done` - filled, nothing there, or time over; `moved` - ask again, the leader changed or the
 * server leaves; `missing` - no such durable, or no leader; `silent` - no word within the limit; `lost` - the session ended;
 * `denied` - this user may not pull. Else status and text with which the server refuses such a request.
 */
export type PullEnd = 'done' | 'moved' | 'missing' | 'silent' | 'lost' | 'denied' | `${number} ${string}`;

export interface PullRequest {
  readonly stream: string;
  readonly durable: string;
  readonly batch: number;
  /** How long the server keeps the request open; 0: it sends what is there and ends. */
  readonly waitMs: number;
  /**
   * A limit of the durable may leave a request that does not wait without an answer: so many out unsettled, or all that
   * is left has used up its deliveries.
   */
  readonly mayHang: boolean;
  /** When it ends at the latest then; default 100 ms. */
  readonly hangMs?: number;
  /** After so long without a word it is asked whether the durable is there: a Memphis broker is silent where it is not. */
  readonly lookAfterMs?: number;
  /** How long a word may be missing before the pull counts as silent; of one that waits: when it is taken back. */
  readonly silenceMs: number;
}

/** A pull under way. */
export interface Pull {
  readonly ended: Promise<PullEnd>;
  /** Takes it back: the server forgets it; messages it had sent by then are still handed over. */
  stop(): Promise<void>;
}

/** When a request that does not wait ends at the latest, where nothing else would end it. */
export const HANG_LIMIT_MS = 100;
/** How long taking a pull back may wait for the server. */
const STOP_LIMIT_MS = 1_000;

/** The end that a status frame stands for, or nothing when it is only a sign of life (100). */
function endOf(frame: Frame): PullEnd | undefined {
  switch (frame.status) {
    case 100:
      return undefined;
    case 404: // no_wait and nothing there
    case 408: // time over, or less there than asked for
      return 'done';
    case 503:
      return 'missing';
    case 409:
      // limits that were not there when it was looked up: look again
      if (/consumer deleted|exceeded maxrequest/i.test(frame.statusText)) return 'missing';
      return /batch completed|maxbytes|max bytes/i.test(frame.statusText) ? 'done' : 'moved';
    default:
      return `${frame.status} ${frame.statusText}`;
  }
}

/** Written by hand: it is said with each batch, and holds nothing but numbers. */
function toBody({ batch, waitMs, mayHang, hangMs = HANG_LIMIT_MS }: PullRequest): Uint8Array {
  const how = waitMs > 0 ? howToWait(waitMs) : `"no_wait":true${mayHang ? `,"expires":${hangMs}000000` : ''}`;
  return Buffer.from(`{"batch":${batch},${how}}`, 'latin1');
}

function howToWait(waitMs: number): string {
  return `"expires":${waitMs}000000,"idle_heartbeat":${waitMs * 4e5}`;
}

/*
 * $JS.API.CONSUMER.MSG.NEXT.<stream>.<durable>, reply: an inbox that is listened on
 * { batch, no_wait: true }                      sends what is there, then 404 or 408; nothing at a limit of the durable
 * { batch, no_wait: true, expires (ns) }         the same, but ends with 408 in any case
 * { batch, expires (ns), idle_heartbeat (ns) }  waits; heartbeat at most half of expires (else 400)
 */
export function startPull(connection: Connection, request: PullRequest, onMessage: (frame: Frame) => void): Pull {
  const { stream, durable, batch, waitMs, silenceMs, lookAfterMs } = request;
  let left = batch;
  let silentSinceMs = 0;
  let endLimit = (): void => {};
  let finish: (end: PullEnd) => void = () => {};
  const ended = new Promise<PullEnd>((resolve) => {
    finish = (end) => {
      finish = () => {}; // Node is told of each resolve that comes after another one
      endLimit();
      resolve(end);
    };
  });
  // who does not wait gets no sign of life, so the server itself can count: nothing has to be written at the end
  const isCounted = waitMs === 0;
  // one limit for all frames: setting it anew for each would cost as much as reading one
  let heardMs = Date.now();
  const endIfMissing = (): Promise<void> =>
    durableInfo(connection, stream, durable, silenceMs).then(
      () => {},
      (error) => {
        if (refusalOf(error) === 0) return;
        finish('missing');
        subscription.end();
      },
    );
  const listen = (ms: number): void => {
    endLimit = connection.startLimit(ms, () => {
      const leftMs = silenceMs - Math.max(0, Date.now() - heardMs);
      if (ms === lookAfterMs) void endIfMissing();
      if (isCounted && leftMs > 0) return listen(leftMs);
      // a server that has no room for one more that waits does not say so: where it answers as it is taken back, there was nothing
      silentSinceMs = isCounted ? NO_LIMIT : Date.now();
      void stop();
    });
  };
  const onStatus = (frame: Frame): void => {
    const end = endOf(frame);
    // asked again at once it would say the same again
    if (end === undefined || (!isCounted && /MaxWaiting/.test(frame.statusText))) return;
    // a Memphis broker that was asked to stop hangs, answers pings, and lets no one in (memphis-wire 5.3)
    if (/server shutdown/i.test(frame.statusText)) connection.isLeaving = true;
    finish(end); // before the end of the subscription, which says 'done'
    subscription.end();
  };
  const subscription = connection.subscribe('', {
    ...(isCounted ? { max: batch } : {}),
    onFrame: (frame) => {
      heardMs = connection.heardAt.wall;
      if (frame.status !== 0) return onStatus(frame);
      left--;
      onMessage(frame);
      if (left > 0) return;
      finish('done');
      if (!isCounted) subscription.end();
    },
    onEnd: (error) => {
      if (error === undefined) finish(silentSinceMs > connection.heardAt.wall ? 'silent' : 'done');
      else finish(isMemphisError(error, 'PERMISSION_DENIED') ? 'denied' : 'lost');
    },
  });
  const stop = (): Promise<void> => {
    endLimit();
    return subscription.drain(STOP_LIMIT_MS);
  };
  connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`, toBody(request), {
    reply: subscription.subject,
  });
  listen(Math.min(lookAfterMs ?? silenceMs, silenceMs));
  return { ended, stop };
}
