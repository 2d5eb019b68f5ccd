/** A station of others that takes a few messages and refuses the next: its stream has a limit and throws nothing away. */

import assert from 'node:assert/strict';
import { withRawApi } from './raw-api.ts';

/** Makes one that takes `messages`. */
export async function makeFullStation(port: number, name: string, messages: number): Promise<void> {
  const stream = `${name}$1`;
  const config = { name: stream, subjects: [`${stream}.>`], storage: 'memory', max_msgs: messages, discard: 'new' };
  const reply = await withRawApi(port, (api) => api(`STREAM.CREATE.${stream}`, config));
  assert.equal(reply.error, undefined);
}

/** How many messages the streams of a station's partitions hold, one number each. */
export async function countStored(port: number, name: string, partitions = 1): Promise<number[]> {
  return withRawApi(port, async (api) => {
    const counts: number[] = [];
    for (let partition = 1; partition <= partitions; partition++) {
      const { state } = await api(`STREAM.INFO.${name.replaceAll('.', '#')}$${partition}`);
      counts.push((state as { readonly messages: number }).messages);
    }
    return counts;
  });
}
