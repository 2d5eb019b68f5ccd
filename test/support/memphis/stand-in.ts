/**
 * A stand-in for a Memphis broker: a nats-server, a relay before it, and a responder for what the broker itself answers.
 * Breaking a rule of the protocol fails the test that did it.
 *
 * What it cannot do: token mode, WebSocket and TLS, permissions of users, clusters, functions, schema checks beyond the
 * obvious, clean-ups and sweeps of rows, tiered storage.
 */

import assert from 'node:assert/strict';
import { openLean } from '../../../src/connection/lean/session.ts';
import { type RunningBroker, startBroker } from '../../../src/testing/start-broker.ts';
import { newestServer } from '../servers.ts';
import { decodeJson, encode } from './api.ts';
import { Control, type Faults } from './control.ts';
import { DeadLetterTable } from './dead-letters.ts';
import { startApi } from './http.ts';
import { type Relay, startRelay } from './relay.ts';
import { Tables } from './tables.ts';

const USERNAME = 'root';
const PASSWORD = 'memphis';

export interface StandIn extends AsyncDisposable {
  /** `memphis://root:memphis@127.0.0.1:<port>`. */
  readonly url: string;
  readonly apiUrl: string;
  readonly tables: Tables;
  readonly relay: Relay;
  readonly server: RunningBroker;
  readonly faults: Faults;
  /** Its reader counts the next notice of a dead letter as settled and makes no row, as after a kill; resolves then. */
  passOver(): Promise<void>;
  /** Sends rows of dead letters to their groups, as its interface does. */
  resend(ids: readonly number[]): void;
  /** Rules that were broken so far. */
  readonly violations: readonly string[];
}

const SUBJECTS = [
  '$memphis_station_creations',
  '$memphis_station_destructions',
  '$memphis_producer_creations',
  '$memphis_producer_destructions',
  '$memphis_consumer_creations',
  '$memphis_consumer_destructions',
  '$memphis_schema_attachments',
  '$memphis_schema_detachments',
  '$memphis_schema_creations',
];

/** Subjects that no client may publish on: some of them end a broker (memphis-wire 2.10, 11.1). */
const FORBIDDEN = [
  '$memphis_integration_updates',
  '$memphis_config_reload_signal',
  '$memphis_cache_updates',
  '$memphis_connection_status',
  '$memphis_nacked_inner_dls',
  '$memphis_nacked_dls',
];

/**
 * Starts one.
 *
 * @param binary the nats-server behind it; left out: the newest
 * @param version what its INFO says
 */
export async function startStandIn({
  binary = newestServer(),
  version = '2.10.7',
}: {
  readonly binary?: string | undefined;
  readonly version?: string;
} = {}): Promise<StandIn> {
  const server = await startBroker(binary === undefined ? {} : { binary });
  const nats = openLean({ server: `127.0.0.1:${server.port}`, name: 'stand-in', timeoutMs: 5_000 });
  const violations: string[] = [];
  const onViolation = (what: string): void => void violations.push(what);
  const tables = new Tables();
  const faults: Faults = {};
  const control = new Control(nats, tables, USERNAME, onViolation);
  const letters = new DeadLetterTable(nats, tables, version, onViolation);
  await nats.info;
  await letters.start();
  for (const subject of SUBJECTS) {
    nats.subscribe(subject, {
      onFrame: ({ data, reply }) => {
        if (faults.silent?.includes(subject)) return;
        void (async () => {
          if (faults.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, faults.delayMs));
          const instead = faults.text?.[subject];
          const replies = instead === undefined ? await control.answer(subject, data) : [instead];
          const more = faults.again?.[subject];
          const heldMs = faults.heldMs?.[subject];
          if (heldMs !== undefined) await new Promise((resolve) => setTimeout(resolve, heldMs));
          if (nats.isClosed || reply === '') return;
          for (const text of more === undefined ? replies : [...replies, more]) nats.publish(reply, encode(text));
        })();
      },
    });
  }
  nats.subscribe('$memphis_pm_acks', { onFrame: ({ data }) => letters.onAck(data) });
  nats.subscribe('$memphis_schemaverse_dls', { onFrame: ({ data }) => letters.onViolationReport(data) });
  nats.subscribe('$memphis_notifications', {
    onFrame: ({ data }) => void tables.notifications.push(decodeJson(data)),
  });
  for (const subject of FORBIDDEN) {
    nats.subscribe(subject, { onFrame: () => onViolation(`something was published on ${subject}`) });
  }
  await nats.flush(5_000);
  const relay = await startRelay({
    target: server.port,
    username: USERNAME,
    password: PASSWORD,
    version,
    onViolation,
    onGone: (connectionId) => {
      for (const row of tables.members) if (row.connectionId === connectionId) row.isActive = false;
    },
  });
  const api = await startApi(tables, letters, { username: USERNAME, password: PASSWORD });
  return {
    url: `memphis://${USERNAME}:${PASSWORD}@127.0.0.1:${relay.port}`,
    apiUrl: api.url,
    tables,
    relay,
    server,
    faults,
    passOver: () => letters.passOver(),
    resend: (ids) => letters.resend(ids),
    violations,
    async [Symbol.asyncDispose]() {
      await letters.stop();
      await api[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
      await nats.close();
      await server.stop();
      assert.deepEqual(violations, [], 'rules of the protocol were broken');
    },
  };
}
