/**
 * Dead letters on a Memphis broker: rows of its database, made out of the notice that we hand to a stream of the broker's.
 * Once that has answered, the message may be terminated: whole, it is in the notice (memphis-wire 11.5).
 */

import type { Link } from '../../connection/link.ts';
import type { Connection, HeaderList } from '../../connection/port.ts';
import { wait, within } from '../../connection/within.ts';
import { MemphisError } from '../../model/errors.ts';
import { toInternalName } from '../../model/station.ts';
import { originalHeaders } from '../jetstream/dead-letter-record.ts';
import { storeDeadLetter, toHeaderText } from '../jetstream/dead-letters.ts';
import type { Delivery } from '../jetstream/lane.ts';
import type { DeadLetterContext } from '../jetstream/linked-station.ts';
import { repeat } from '../jetstream/repeat.ts';
import { store } from '../jetstream/store.ts';
import { ackPayload } from '../jetstream/wire/ack.ts';
import { apiError, nothingAt } from '../jetstream/wire/api.ts';
import { messageAt } from '../jetstream/wire/read.ts';
import { streamConfig } from '../jetstream/wire/streams.ts';
import { dlsHeader } from './dls-headers.ts';
import type { MemphisGroup } from './group.ts';
import { type EarlierLook, GONE_AFTER_MS, handInPassedOver } from './passed-over.ts';
import { isAnchored } from './registration.ts';
import { ADVISORIES, advisorySubject, type PoisonAdvisory, poisonAdvisory } from './wire/poison-advisory.ts';

/** Between two looks whether the broker has read a notice; it does so in rounds of five seconds. */
const LOOK_EVERY_MS = 250;
/** Between two looks for notices that the broker has passed over. */
const MEND_EVERY_MS = 60_000;
/** How long one may take. */
const MEND_LIMIT_MS = 2_000;

/** When each looks again, and what it has found. */
const looks = new WeakMap<Link, EarlierLook & { dueMs: number }>();

function originOf({ id, sequence }: Delivery) {
  return { stream: id.slice(0, id.lastIndexOf(':')), sequence };
}

function headersOf(delivery: Delivery, group: string, reason: string): HeaderList {
  const { stream, sequence } = originOf(delivery);
  return [
    ...originalHeaders(delivery.allHeaders).filter(([name]) => name !== dlsHeader.reason),
    [dlsHeader.reason, toHeaderText(reason)],
    [dlsHeader.group, group],
    [dlsHeader.deliveries, String(delivery.deliveryCount)],
    [dlsHeader.storedAt, delivery.timestamp.toISOString()],
    [dlsHeader.stream, stream],
    [dlsHeader.sequence, String(sequence)],
  ];
}

/** See `SetAside`: a group's. */
export async function setAside(
  group: MemphisGroup,
  context: DeadLetterContext,
  delivery: Delivery,
  reason: string,
): Promise<void> {
  // one that was resent has its row already, which stays
  if (delivery.lane.rules !== undefined) return;
  const { link, leftMs } = context;
  const connection = await link.ready(Date.now() + leftMs());
  // of a group without a row the broker keeps nothing
  if (!(await within(group.register(connection), leftMs())))
    throw refused(context, delivery, 'the group could not be registered');
  // both beside the notice, and in half of the time: the message is still to be terminated
  const besideMs = Math.min(MEND_LIMIT_MS, leftMs() / 2);
  const keeping = group.resendLane(connection, besideMs); // there may be some from now on
  const { stream, sequence } = originOf(delivery);
  const notice = {
    stream,
    sequence,
    durable: toInternalName(context.group),
    deliveries: delivery.deliveryCount,
    timestampMs: Date.now(),
  };
  const whole = poisonAdvisory({
    ...notice,
    message: { headers: headersOf(delivery, context.group, reason), data: delivery.data },
  });
  let mending: Promise<void> | undefined;
  try {
    const { version, maxPayload } = await connection.info;
    // there the broker's rows cannot be told from group to group (kept-letters.ts)
    if (isAnchored(version)) await storeDeadLetter(context, delivery, reason);
    else mending = mend(link, connection, besideMs);
    if (whole.length <= maxPayload) await hand(context, notice, whole);
    else await handByReference(context, delivery, notice);
  } finally {
    await Promise.all([mending, keeping]); // nothing is under way when it is over
  }
}

/** Beside a dead letter, now and then, earlier ones: nobody else may look for them in time. Never rejects. */
async function mend(link: Link, connection: Connection, limitMs: number): Promise<void> {
  const look = looks.get(link) ?? { first: 0, atMs: 0, dueMs: 0 };
  looks.set(link, look);
  if (Date.now() < look.dueMs) return;
  look.dueMs = Date.now() + MEND_EVERY_MS;
  await handInPassedOver(connection, limitMs, undefined, look).catch(() => {}); // it is looked for again
  // a function of a second never has the time in one invocation; a look before that would begin it anew
  if (look.first > 0) look.dueMs = look.atMs + GONE_AFTER_MS;
}

async function hand(context: DeadLetterContext, notice: PoisonAdvisory, data: Uint8Array): Promise<number> {
  const subject = advisorySubject(notice.stream, notice.durable);
  const { sequence } = await store(
    context.link,
    subject,
    { data, headers: [] },
    {
      timeoutMs: context.leftMs(),
      onMissing: async () => {
        throw new MemphisError(
          'JETSTREAM_UNAVAILABLE',
          'The broker keeps no dead letters at the moment; it is starting.',
        );
      },
    },
  );
  return sequence;
}

/** Too large to be whole in a notice: the broker reads it out of its stream, in which it must stay until then. */
async function handByReference(context: DeadLetterContext, delivery: Delivery, notice: PoisonAdvisory): Promise<void> {
  const { link, leftMs } = context;
  const sequence = await hand(context, notice, poisonAdvisory(notice));
  const config = await repeat(link, 'look at stream', leftMs(), (connection, limitMs) =>
    streamConfig(connection, notice.stream, limitMs),
  );
  if (config.retention !== 'interest') return; // terminated, it stays in its stream
  const untilMs = Date.now() + leftMs();
  while (Date.now() < untilMs) {
    const unread = await repeat(link, 'look for dead letter', leftMs(), (connection, limitMs) => {
      connection.publish(delivery.ackSubject, ackPayload.inProgress);
      return messageAt(connection, ADVISORIES, sequence, limitMs).catch(nothingAt(apiError.MESSAGE_NOT_FOUND));
    });
    if (unread === undefined) return;
    await wait(LOOK_EVERY_MS);
  }
  throw refused(context, delivery, 'the broker has not read it yet');
}

function refused({ group }: DeadLetterContext, { id, station }: Delivery, why: string): MemphisError {
  return new MemphisError('JETSTREAM_UNAVAILABLE', `Message ${id} is not set aside: ${why}.`, {
    station,
    group,
  });
}
