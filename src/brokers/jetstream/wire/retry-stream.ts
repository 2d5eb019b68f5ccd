/** The stream of copies that come back later or were put back, and what a server needs to send them in time by itself. */

import type { HeaderList } from '../../../connection/port.ts';
import type { Json } from './api.ts';

const NS_PER_MS = 1_000_000;
/** From this API level on (server 2.12) a stream can send a message at a stated time. */
const SCHEDULES_LEVEL = 3;

/** Whether a server can wait for us. Told by INFO alone: older ones store a schedule as an ordinary message, silently. */
export function hasSchedules(apiLevel: number): boolean {
  return apiLevel >= SCHEDULES_LEVEL;
}

/*
 * A work queue, where the server keeps it whole (docs/decisions/012): what is acked is gone. Subjects: <stream>.due.<group>.<p>, and <stream>.later.<group>.<p>.<sequence>
 * for what the server holds until its time. No durable reads the latter.
 */
export function retryStreamConfig(
  stream: string,
  like: Json,
  server: { readonly apiLevel: number; readonly isWorkQueueSafe: boolean },
): Json {
  return {
    name: stream,
    subjects: [`${stream}.>`],
    retention: server.isWorkQueueSafe ? 'workqueue' : 'limits',
    discard: 'old', // it has no limit at which that would happen; schedules cannot be had with 'new' (10052)
    storage: like.storage === 'memory' ? 'memory' : 'file',
    num_replicas: typeof like.num_replicas === 'number' && like.num_replicas > 0 ? like.num_replicas : 1,
    duplicate_window: 120_000 * NS_PER_MS,
    ...(hasSchedules(server.apiLevel) ? { allow_msg_schedules: true } : {}),
  };
}

/* Nats-Schedule: @at <time>; Nats-Schedule-Target: <subject of the same stream>. Sent 0 to 250 ms late. */
export function scheduleHeaders(atMs: number, target: string): HeaderList {
  return [
    ['Nats-Schedule', `@at ${new Date(atMs).toISOString()}`],
    ['Nats-Schedule-Target', target],
  ];
}
