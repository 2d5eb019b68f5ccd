/** A Memphis driver as the broker contract wants it, on a broker that is there already. */

import { setTimeout as sleep } from 'node:timers/promises';
import { isBefore } from '../../src/brokers/jetstream/server-version.ts';
import { MemphisAdmin } from '../../src/brokers/memphis/admin.ts';
import { openApi } from '../../src/brokers/memphis/api-access.ts';
import type { MemphisBroker } from '../../src/brokers/memphis/broker.ts';
import { destroyGroup } from '../../src/brokers/memphis/destroy-group.ts';
import { makeSession } from '../../src/client/session.ts';
import type { ReaderOptions, WholeBroker } from '../../src/model/broker.ts';
import { connectOptions } from '../../src/model/options/connect.ts';
import { resolveOptions } from '../../src/model/resolve-options.ts';
import type { StationSettings } from '../../src/model/station.ts';
import { lookUp } from '../../src/schemas/look-up.ts';
import type { OpenSubject } from './jetstream-subject.ts';
import { whole } from './whole-broker.ts';

/**
 * Connects.
 *
 * @param url `memphis://user:password@host:port`; of a cluster several, with commas between
 * @param apiUrl left out: port 9000 of that host
 * @param replicas copies of each message
 * @param isKept the broker goes on running: its stations are destroyed at the end
 */
export async function openMemphis(url: string, apiUrl?: string, replicas = 1, isKept = false): Promise<OpenSubject> {
  const settings = resolveOptions('contract', connectOptions, { servers: url.split(','), broker: 'memphis' });
  const opened: (() => Promise<void>)[] = [];
  const open = async (): Promise<MemphisBroker & WholeBroker> => {
    const session = makeSession(settings, lookUp);
    opened.push(() => session.close());
    return whole((await session.broker()) as MemphisBroker);
  };
  const broker = await open();
  const admin = await open();
  const own = new MemphisAdmin(admin, openApi(settings, apiUrl));
  const stations = new Set<string>();
  const { version } = await (await broker.link.ready(Date.now() + 5_000)).info;
  return {
    broker,
    lacksLinkedStations: isBefore(version, 1, 3, 1),
    replicas,
    // who reads ends its group, the rest another client
    admin: Object.assign(own, {
      createStation: async (name: string, of: StationSettings) => {
        stations.add(name);
        return await MemphisAdmin.prototype.createStation.call(own, name, of);
      },
      destroyGroup: (options: ReaderOptions) => destroyGroup(broker, options),
    }),
    maxPayloadBytes: 1_048_576,
    pass: async (ms, until) => {
      const over = new AbortController();
      const passed = sleep(ms, undefined, { signal: over.signal }).catch(() => {});
      await Promise.race([passed, ...(until === undefined ? [] : [until.catch(() => {})])]);
      over.abort();
    },
    crash: async () => {
      await opened.shift()?.(); // what it held stays unsettled: the broker sees no difference
      const next = await open();
      opened.unshift(opened.pop() as () => Promise<void>);
      return next;
    },
    [Symbol.asyncDispose]: async () => {
      // a broker that goes on running gets slow with thousands of streams
      if (isKept) for (const station of stations) await own.destroyStation(station).catch(() => {});
      await Promise.all(opened.map((close) => close()));
    },
  };
}
