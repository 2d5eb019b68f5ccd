/** What clients do with messages, going on while a cluster is in trouble. Each works on a station of its own. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { reading, Scene, type Site, type Work } from './cluster-scene.ts';
import { leftOf, untilHolds } from './cluster-streams.ts';

const SHORT_ACK_WAIT_MS = 2_000;

/** Everything becomes a dead letter. What was confirmed is stored, whatever dies next. */
export async function deadLetters(site: Site): Promise<Work> {
  const scene = await new Scene(site, 'dead').open();
  const confirmed = new Set<string>();
  scene.read((messages) =>
    Promise.all(
      messages.map(async (message) => {
        scene.see(message.text());
        await message.deadLetter('why');
        confirmed.add(message.text());
      }),
    ),
  );
  return {
    done: () => confirmed.size,
    check: async () => {
      await scene.through();
      assert.deepEqual([...(await scene.deadLetters())].sort(), [...scene.ids].sort(), 'each is stored, and once');
    },
  };
}

/** Times to settle after which a delay is parked, and a little. */
const PARKED_MS = 4 * SHORT_ACK_WAIT_MS + 1;

/** Each message is delayed for so long that it is parked, and is done when it comes back. */
export async function parked(site: Site): Promise<Work> {
  const scene = await new Scene(site, 'parked').open();
  const back = new Set<string>();
  scene.read(
    (messages) =>
      Promise.all(
        messages.map(async (message) => {
          const times = scene.see(message.text());
          if (times === 1) return message.delay(PARKED_MS);
          await message.ack();
          back.add(message.text());
        }),
      ),
    { maxAckTimeMs: SHORT_ACK_WAIT_MS },
  );
  return {
    done: () => scene.seen.size,
    check: async () => {
      await scene.through(async () => {
        const missing = scene.ids.filter((id) => !back.has(id));
        if (missing.length > 0) return `${missing.length} parked messages did not come back`;
        const left = await leftOf(site.cluster, 'parked$retry', `${reading.group}$1`);
        return left > 0 ? `${left} copies left` : undefined;
      });
      const stateOf = async (): Promise<Readonly<Record<string, number>>> => {
        const { state } = await site.cluster.api('$JS.API.STREAM.INFO.parked$retry');
        return state as Readonly<Record<string, number>>;
      };
      assert.ok(((await stateOf()).last_seq ?? 0) > scene.ids.length / 2, 'they were parked');
      // on server 2.9 each replica deletes what is acked by itself, and one that was restarted may keep it
      if (site.cluster.nodes[0]?.version.startsWith('2.9.')) return;
      await untilHolds(20_000, async () => ((await stateOf()).messages === 0 ? undefined : 'a copy stays behind'));
    },
  };
}

/** Dead letters are put back while others come. */
export async function redriven(site: Site): Promise<Work> {
  const scene = await new Scene(site, 'redriven').open();
  const done = new Set<string>();
  const letters = site.client.deadLetters('redriven');
  scene.read((messages) =>
    Promise.all(
      messages.map(async (message) => {
        if (scene.see(message.text()) === 1) return message.deadLetter('once');
        await message.ack();
        done.add(message.text());
      }),
    ),
  );
  const other = new Scene(site, 'redriven');
  other.repeat(async () => {
    const results = await letters.redriveAll();
    // a copy that was stored unheard is a duplicate now: it came back already
    await letters.drop(results.filter(({ outcome }) => outcome === 'duplicate').map(({ id }) => id));
    await sleep(200);
  });
  return {
    done: () => done.size,
    check: async () => {
      await scene.through(async () => {
        const missing = scene.ids.filter((id) => !done.has(id));
        return missing.length === 0 ? undefined : `${missing.length} dead letters did not come back`;
      });
      site.watch.check(other.failures);
    },
  };
}

/** Read in order: whatever comes again, nothing comes before what was stored before it. */
export async function inOrder(site: Site): Promise<Work> {
  const scene = await new Scene(site, 'ordered').open();
  const overtaken: string[] = [];
  let newest = 0;
  scene.read(
    async (messages) => {
      for (const message of messages) {
        const isFirst = scene.see(message.text()) === 1;
        if (isFirst && message.sequence < newest) overtaken.push(`${message.sequence} after ${newest}`);
        newest = Math.max(newest, message.sequence);
        await message.ack();
      }
    },
    { ordered: true },
  );
  return {
    done: () => scene.seen.size,
    check: async () => {
      await scene.through();
      assert.deepEqual(overtaken, []);
    },
  };
}

/** Stations are looked at while others work. */
export async function describing(site: Site): Promise<Work> {
  const scene = new Scene(site, 'described');
  await site.client.createStation('described', { replicas: 3 });
  let looks = 0;
  scene.repeat(async () => {
    const { settings } = await site.client.describeStation('described');
    assert.equal(settings?.replicas, 3);
    const stations = await site.client.listStations();
    assert.ok(stations.some(({ name }) => name === 'described'));
    looks += 1;
    await sleep(50);
  });
  return {
    done: () => looks,
    check: async () => site.watch.check(scene.failures),
  };
}
