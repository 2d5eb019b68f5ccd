/** What `createPoller` and `pollerHandler` take, and how it is checked. */

import type { ConnectOptions } from '../client/connect.ts';
import { makeSession, type Session, sharedSession } from '../client/session.ts';
import { hasKey, MemphisError } from '../model/errors.ts';
import { readFields } from '../model/fields.ts';
import type { Given, Resolved } from '../model/option-spec.ts';
import { connectOptions } from '../model/options/connect.ts';
import { pollerOptions } from '../model/options/poller.ts';
import { checkOptions, resolveOptions } from '../model/resolve-options.ts';
import type { LambdaOption } from './lambda-client.ts';
import type { Mapping, MappingOptions } from './mapping.ts';
import type { ConnectedClient, OnPollError } from './run-mappings.ts';

/** Options of `createPoller` and `pollerHandler`. */
export interface PollerOptions extends Given<typeof pollerOptions> {
  /** What to read and what to invoke. `pollerHandler` takes `MEMPHIS_MAPPINGS` where this is left out. */
  readonly mappings?: readonly MappingOptions[];
  /** Options of `connect` (defaults: `MEMPHIS_*` variables), or a connected client, which is left open. */
  readonly connection?: ConnectOptions | ConnectedClient;
  /** A `LambdaClient`, or its configuration. A client of one's own should have `maxAttempts: 1`. */
  readonly lambda?: LambdaOption;
  /** Called with what keeps a mapping from working and with unreadable answers. @default writes to stderr */
  readonly onError?: OnPollError;
}

const others = ['mappings', 'connection', 'lambda', 'onError'] as const;

/**
 * Checks names and values; the environment has its say for `pollerOptions` only.
 *
 * @throws MemphisError `INVALID_OPTION`
 */
export function resolvePollerOptions(where: string, given: PollerOptions): Resolved<typeof pollerOptions> {
  if (given === undefined) throw new MemphisError('INVALID_OPTION', `${where}: options must be an object.`);
  const fields = readFields(where, given);
  const known = new Set<string>(others);
  const rest = Object.fromEntries(Object.entries(fields).filter(([name]) => !known.has(name)));
  if (fields.onError !== undefined && typeof fields.onError !== 'function') {
    throw new MemphisError('INVALID_OPTION', `${where}: onError must be a function.`, { option: 'onError' });
  }
  for (const option of ['connection', 'lambda'] as const) {
    const value: unknown = fields[option];
    if (value !== undefined && (typeof value !== 'object' || value === null)) {
      throw new MemphisError('INVALID_OPTION', `${where}: ${option} must be an object.`, { option });
    }
  }
  if (!isConnected(given.connection)) checkOptions(`${where}: connection`, connectOptions, given.connection);
  return resolveOptions(where, pollerOptions, rest, process.env);
}

/** The session to use, and whether it was made for this. @throws MemphisError `INVALID_OPTION` */
export function openSession(
  where: string,
  connection: PollerOptions['connection'],
  kind: 'own' | 'shared',
): { readonly session: Session; readonly isOwn: boolean } {
  if (isConnected(connection)) return { session: connection.session, isOwn: false };
  const settings = resolveOptions(`${where}: connection`, connectOptions, connection, process.env);
  if (kind === 'shared') return { session: sharedSession(settings), isOwn: false };
  return { session: makeSession(settings), isOwn: true };
}

/** Invocations that all mappings together may have under way. */
export function countSlots(mappings: readonly Mapping[]): number {
  return mappings.reduce((sum, { enabled, maximumConcurrency }) => sum + (enabled ? maximumConcurrency : 0), 0);
}

function isConnected(connection: PollerOptions['connection']): connection is ConnectedClient {
  if (typeof connection !== 'object' || connection === null || !hasKey(connection, 'session')) return false;
  return typeof (connection as Partial<ConnectedClient>).session?.broker === 'function';
}
