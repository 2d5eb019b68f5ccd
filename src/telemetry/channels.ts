/**
 * Named diagnostics channels (`node:diagnostics_channel`): what happens inside can be watched, and costs
 * nothing when nobody listens. docs/architecture.md lists them; a test holds the two together.
 */

import { channel, hasSubscribers } from 'node:diagnostics_channel';

/** What each channel carries. Times are milliseconds. No payloads, headers or secrets. */
export interface ChannelEvents {
  /** A session came up, or did not. */
  'memphis-serverless:dial': { readonly server: string; readonly durationMs: number; readonly error?: unknown };
  /** A connection was used after a pause that may have been a freeze. */
  'memphis-serverless:thaw': { readonly idleMs: number; readonly verdict: 'alive' | 'replaced' };
  /** A session was left for a new one. */
  'memphis-serverless:replace': { readonly reason: string };
  /** An operation is repeated by ourselves. */
  'memphis-serverless:retry': { readonly operation: string; readonly attempt: number; readonly error: unknown };
  /** Messages were pulled. */
  'memphis-serverless:pull': { readonly station: string; readonly group: string; readonly messages: number };
  /** Messages were settled and the broker confirmed it, or did not. */
  'memphis-serverless:settle': {
    readonly station: string;
    readonly group: string;
    readonly acked: number;
    readonly retried: number;
    readonly deadLettered: number;
    readonly givenBack: number;
    readonly error?: unknown;
  };
  /** A message that was produced without waiting is not stored, or not known to be. */
  'memphis-serverless:produce-failed': {
    readonly station: string;
    readonly producer: string;
    readonly error: unknown;
  };
  /** A message was set aside. */
  'memphis-serverless:dead-letter': {
    readonly station: string;
    readonly group: string;
    readonly id: string;
    readonly deliveryCount: number;
  };
  /** A copy of a message was stored to come back after a long delay. */
  'memphis-serverless:park': {
    readonly station: string;
    readonly group: string;
    readonly id: string;
    readonly delayMs: number;
  };
  /** A poller invoked a function. */
  'memphis-serverless:invoke': {
    readonly mapping: string;
    readonly functionName: string;
    readonly messages: number;
    readonly durationMs: number;
    readonly failed: number;
    readonly error?: unknown;
  };
}

export type ChannelName = keyof ChannelEvents;

/** Publishes on a channel; `make` is called only when somebody listens. */
export function emit<Name extends ChannelName>(name: Name, make: () => ChannelEvents[Name]): void {
  if (hasSubscribers(name)) channel(name).publish(make());
}

/** Trouble that another try may mend, or that costs nothing but what it was for. */
export function emitRetry(operation: string, attempt: number, error: unknown): void {
  emit('memphis-serverless:retry', () => ({ operation, attempt, error }));
}
