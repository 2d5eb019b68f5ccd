/** Leaving a group on a Memphis broker: with its last member go its durables, as those of other clients do, and all that is kept for it. */

import type { ReaderOptions } from '../../model/broker.ts';
import {
  destroyGroup as destroyPlain,
  forgetCopies,
  partitionsToRead,
  unlessGone,
} from '../jetstream/destroy-group.ts';
import { PATIENCE_MS, repeat } from '../jetstream/repeat.ts';
import { BUCKET } from '../jetstream/stations.ts';
import { deleteDurable, durableInfo } from '../jetstream/wire/consumers.ts';
import { deleteStream, purgeStream } from '../jetstream/wire/streams.ts';
import { startNoteOf } from './begin.ts';
import type { MemphisBroker } from './broker.ts';
import { MemphisGroup } from './group.ts';
import { memphisReadersOf } from './readers.ts';
import { ANCHOR_STATION, isAnchored } from './registration.ts';
import { resendStreamOf } from './resend-streams.ts';
import { destroyConsumer } from './wire/consumer-destruction.ts';

/** @throws MemphisError `STATION_NOT_FOUND` */
export async function destroyGroup(broker: MemphisBroker, options: ReaderOptions): Promise<void> {
  const readers = memphisReadersOf(broker);
  const { group } = readers.reader(options);
  if (!(group instanceof MemphisGroup)) return await destroyPlain(readers, options); // on a stream of others
  const { station, group: name } = options;
  const partitions = await partitionsToRead(readers, options);
  const places = partitions.map((partition) => group.placeOf(partition));
  const isLeft = await repeat(broker.link, 'delete group', PATIENCE_MS, async (connection, limitMs) => {
    // one that never pulled here has no row yet, and would end nothing
    if (!(await group.register(connection))) return false;
    const isElsewhere = isAnchored((await connection.info).version);
    await destroyConsumer(connection, name, isElsewhere ? ANCHOR_STATION : station, limitMs);
    broker.members.forget(group.key);
    for (const { stream, durable } of places) {
      if (isElsewhere) await deleteDurable(connection, stream, durable, limitMs).catch(unlessGone);
      // members that stay have more to come
      else if (await durableInfo(connection, stream, durable, limitMs).catch(unlessGone)) return true;
      // best effort: what stays behind meets nobody but a group of this name
      await purgeStream(connection, `KV_${BUCKET}`, { filter: startNoteOf({ stream, durable }) }, limitMs).catch(
        () => {},
      );
    }
    return false;
  });
  group.forget();
  if (isLeft) return;
  await forgetCopies(readers, station, group);
  await repeat(broker.link, 'delete group', PATIENCE_MS, (connection, limitMs) =>
    deleteStream(connection, resendStreamOf(station, name), limitMs).catch(unlessGone),
  );
}
