/**
 * Dead letters that somebody resends from the broker's interface. They are published once, to whoever listens, and
 * functions sleep: so a stream of ours keeps them for each group (memphis-wire 6.3). Members that run on other clients hear
 * them at once, and tell the broker when they are done; what they did not settle in the group's time is handed out here.
 */

import type { Link } from '../../connection/link.ts';
import type { Connection, Frame } from '../../connection/port.ts';
import { leftUntil } from '../../connection/within.ts';
import type { ReaderOptions } from '../../model/broker.ts';
import { isMemphisError } from '../../model/errors.ts';
import { toInternalName } from '../../model/station.ts';
import { emitRetry } from '../../telemetry/channels.ts';
import { originalHeaders } from '../jetstream/dead-letter-record.ts';
import { become, makeDelivery } from '../jetstream/delivery.ts';
import { headerOf, toUserHeaders } from '../jetstream/headers.ts';
import { type Delivery, type Lane, type LaneRules, toLane } from '../jetstream/lane.ts';
import { ownId } from '../jetstream/own-id.ts';
import { repeat } from '../jetstream/repeat.ts';
import { isBefore } from '../jetstream/server-version.ts';
import { apiError, refusalOf, textOf } from '../jetstream/wire/api.ts';
import { backlogOf, createDurable, durableInfo } from '../jetstream/wire/consumers.ts';
import { parsePubAck } from '../jetstream/wire/publish.ts';
import { readOnce } from '../jetstream/wire/read.ts';
import { createStream, unlessThere } from '../jetstream/wire/streams.ts';
import { dlsHeader } from './dls-headers.ts';
import { ACK_SUBJECT, ACKS, acksSince, resendStreamOf } from './resend-streams.ts';
import { sendResendAck } from './wire/resend-ack.ts';

const NS_PER_MS = 1_000_000;
/** What a function waits for beside its messages, at most. */
const PATIENCE_MS = 5_000;
/** Resends that nobody came for are dropped after a week; their rows stay as long as the broker keeps them. */
const KEPT_FOR_MS = 7 * 86_400_000;
/** A second resend of the same row is another message; `msg-id` is kept in it, so the window has to be short. */
const WINDOW_MS = 100;

function row({ allHeaders }: Pick<Delivery, 'allHeaders'>): number {
  return Number(headerOf(allHeaders, '$memphis_pm_id') ?? 0);
}
function rowGroup({ allHeaders }: Pick<Delivery, 'allHeaders'>): string {
  return headerOf(allHeaders, '$memphis_pm_cg_name') ?? '';
}

export class Resends implements LaneRules {
  readonly #link: Link;
  readonly #of: ReaderOptions;
  #lane: Promise<Lane | undefined> | undefined;

  /** @param of whose they are */
  constructor(link: Link, of: ReaderOptions) {
    this.#link = link;
    this.#of = of;
  }

  /** Made on first use. Nothing where that is not to be had: then resends reach only those who listen. Never rejects. */
  lane(connection: Connection, limitMs: number): Promise<Lane | undefined> {
    this.#lane ??= this.#make(connection, limitMs).catch((error: unknown) => {
      emitRetry('keep resends', 1, error);
      // asked for again by the next pull; who may not have it would wait 300 ms for that each time
      if (!isMemphisError(error, 'PERMISSION_DENIED')) this.#lane = undefined;
      return undefined;
    });
    return this.#lane;
  }

  forget(): void {
    this.#lane = undefined;
  }

  /** Whether some wait, or are out: a request for them stays open for a while where there are none. Never rejects. */
  async areThere(connection: Connection, { stream, durable }: Lane, limitMs: number): Promise<boolean> {
    try {
      const { pending, ackPending } = backlogOf(await durableInfo(connection, stream, durable, limitMs));
      return pending + ackPending > 0;
    } catch (error) {
      if (refusalOf(error) !== 0) this.forget(); // gone with its group: made by whoever looks next
      return false;
    }
  }

  async #make(connection: Connection, limitMs: number): Promise<Lane> {
    const { station, group, ackWaitMs } = this.#of;
    const [stream, durable] = [resendStreamOf(station, group), toInternalName(group)];
    const { version } = await connection.info;
    const dot = isBefore(version, 1, 4, 2) ? '_' : '.';
    const subject = `$memphis_dls_${toInternalName(station)}${dot}${durable}`;
    const like = {
      retention: 'limits',
      discard: 'old',
      storage: 'file',
      num_replicas: 1,
      max_age: KEPT_FOR_MS * NS_PER_MS,
      duplicate_window: WINDOW_MS * NS_PER_MS,
    };
    const make = (name: string, ...subjects: readonly string[]): Promise<void> =>
      createStream(connection, { name, subjects, ...like }, limitMs).catch(unlessThere);
    const settings = { name: durable, ackWaitMs, maxAckPending: -1, from: { deliver_policy: 'all' } } as const;
    // in one write, in this order
    const [, , made] = await Promise.all([
      make(stream, subject),
      make(ACKS, ACK_SUBJECT, `${ACKS}.>`),
      createDurable(connection, stream, settings, limitMs),
    ]);
    const place = { stream, durable, partition: 0, isRetry: true, keepsSettled: false };
    return { ...toLane(place, made), isShared: true, rules: this };
  }

  /** As the message was, where it was set aside by us; what ran out of deliveries by itself does not say where it was. */
  toDelivery(frame: Frame, lane: Lane): Delivery {
    const found = makeDelivery(frame, this.#of.station, lane);
    const { allHeaders: headers, timestamp } = found;
    const stream = headerOf(headers, dlsHeader.stream);
    const sequence = Number(headerOf(headers, dlsHeader.sequence) ?? 0);
    const storedMs = Date.parse(headerOf(headers, dlsHeader.storedAt) ?? '');
    const before = originalHeaders(headers).filter(([name]) => name !== dlsHeader.reason);
    return become(found, {
      id: stream === undefined ? `${lane.stream}:${row(found)}` : `${stream}:${sequence}`,
      partition: Number(/\$(\d+)$/.exec(stream ?? '')?.[1] ?? 0),
      sequence,
      timestamp: Number.isNaN(storedMs) ? timestamp : new Date(storedMs),
      headers: toUserHeaders(before),
      untilMs: timestamp.getTime() + this.#of.ackWaitMs,
    });
  }

  /** Whether some member has told the broker that it is done with this row, since it was resent. */
  async isOver(delivery: Delivery, limitMs: number): Promise<boolean> {
    const resentAt = (delivery.untilMs ?? 0) - this.#of.ackWaitMs;
    const acks = await repeat(this.#link, 'look for acks', Math.min(limitMs, PATIENCE_MS), (connection, tryMs) =>
      acksSince(connection, new Date(resentAt - 1_000), tryMs),
    );
    return acks.some((ack) => ack.row === row(delivery) && ack.group === rowGroup(delivery));
  }

  /** Told once: a second time might take another group's dead letter from it. Who is first says so in the stream of acks. */
  async onAcked(delivery: Delivery, limitMs: number): Promise<void> {
    const mark = ownId();
    const untilMs = Date.now() + Math.min(limitMs, PATIENCE_MS);
    try {
      if (await this.isOver(delivery, leftUntil(untilMs))) return;
      const connection = await repeat(this.#link, 'ack dead letter', leftUntil(untilMs), (on, tryMs) =>
        this.#claim(on, delivery, mark, tryMs),
      );
      if (!connection) return;
      // not repeated: whether the broker has it is not known, where this fails
      sendResendAck(connection, row(delivery), rowGroup(delivery));
      await connection.flush(leftUntil(untilMs));
    } catch (error) {
      // handled and settled; its row stays until somebody drops it
      emitRetry('ack dead letter', 1, error);
    }
  }

  /** @param mark tells our own claim, whose answer was lost, from that of another one. @returns nothing where another one was first */
  async #claim(connection: Connection, delivery: Delivery, mark: string, timeoutMs: number) {
    const subject = `${ACKS}.${row(delivery)}.${toInternalName(this.#of.group)}`;
    const headers = [['Nats-Expected-Last-Subject-Sequence', '0']] as const;
    try {
      parsePubAck(subject, await connection.request(subject, Buffer.from(mark), { timeoutMs, headers }));
    } catch (error) {
      if (refusalOf(error) !== apiError.WRONG_LAST_SEQUENCE) throw error;
      const first = { stream: ACKS, filterSubject: subject, from: 1, limit: 1 };
      const [claim] = await readOnce(connection, first, timeoutMs);
      if (!claim || textOf(claim.data) !== mark) return undefined;
    }
    return connection;
  }
}
