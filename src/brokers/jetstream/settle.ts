/**
 * Settling: what is decided in one tick travels in one write, and the last message of each durable goes as a
 * request. Its answer vouches for those written before it on the same connection (jetstream-servers, Clusters).
 */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import { isMemphisError, MemphisError } from '../../model/errors.ts';
import type { StoredMessage } from '../../model/message.ts';
import { type Outcome, type Settled, withinDeliveries } from '../../model/outcome.ts';
import { emit } from '../../telemetry/channels.ts';
import { creditKeyOf, dropCredit, writeCredit } from './credits.ts';
import type { Delivery, Lane } from './lane.ts';
import type { DeadLetterContext } from './linked-station.ts';
import { ownId } from './own-id.ts';
import { shouldPark } from './parking.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import type { Retries } from './retries.ts';
import { ackPayload } from './wire/ack.ts';
import { durableInfo } from './wire/consumers.ts';
import { deleteMessage } from './wire/streams.ts';

/** Stores a dead letter; resolves when that is confirmed. */
export type SetAside = (context: DeadLetterContext, delivery: Delivery, reason: string) => Promise<void>;

/** Whose messages are settled. */
export interface SettleContext extends Omit<DeadLetterContext, 'timeoutMs'> {
  /** Wall-clock time at which settling gives up; `Infinity`: after {@link PATIENCE_MS}. */
  readonly settleByMs: number;
  readonly retries: Retries;
  readonly setAside: SetAside;
  readonly station: string;
  /** The group's durable name. */
  readonly durable: string;
  readonly maxDeliveries: number;
  /** Off: what would be a dead letter is dropped, as the station's owner wants it. */
  readonly keepDeadLetters: boolean;
}

interface Entry {
  readonly delivery: Delivery;
  readonly outcome: Outcome;
  /** A copy waits for its time in the retry stream, so this delivery is done. */
  readonly isParked?: boolean;
  resolve(settled: Settled): void;
  reject(error: unknown): void;
}

/** When all that is decided in this tick is known. */
const afterThisTick = (run: () => void): void => queueMicrotask(() => process.nextTick(run));
const none: [] = [];
const settledAs = { ack: 'acked', retry: 'retried', deadLetter: 'deadLettered', giveBack: 'givenBack' } as const;

function payloadOf({ outcome, isParked = false }: Entry): Uint8Array {
  if (isParked) return ackPayload.ack;
  switch (outcome.action) {
    case 'ack':
      return ackPayload.ack;
    case 'retry':
      return ackPayload.nak(outcome.delayMs);
    case 'giveBack':
      return ackPayload.nak(outcome.delayMs ?? 0);
    case 'deadLetter':
      return ackPayload.term;
  }
}

/** A year: as long as a delayed NAK. */
const MAX_PARKED_MS = 365 * 86_400_000;

/** Whether a durable of others has used up its limit of deliveries with this one. */
const isLastOf = ({ lane, laneDeliveries }: Delivery): boolean =>
  lane.maxDeliver > 0 && laneDeliveries >= lane.maxDeliver;

/** The stream of a message's own id; of a copy not the one that it came on. */
function originOf({ id, sequence }: StoredMessage): { readonly stream: string; readonly sequence: number } {
  return { stream: id.slice(0, id.lastIndexOf(':')), sequence };
}

/** The broker knows of no delivery behind this one. */
class Forgotten extends Error {
  readonly consumerSequence: number;

  constructor(consumerSequence: number) {
    super('forgotten deliveries');
    this.consumerSequence = consumerSequence;
  }
}

/** How long it is asked why an ack was not answered, within the time that settling has. */
const WHY_LIMIT_MS = 1_000;

/** Why an ack is not answered: the delivery is not known any more, or nobody knows. */
async function whySilent(
  connection: Connection,
  { lane, consumerSequence }: Delivery,
  limitMs: number,
  silence: unknown,
): Promise<unknown> {
  const found = await durableInfo(connection, lane.stream, lane.durable, limitMs).catch(() => undefined);
  return found !== undefined && found.consumerSequence < consumerSequence
    ? new Forgotten(found.consumerSequence)
    : silence;
}

/** How long deleting a settled copy may hold up the end of settling. */
const DROP_LIMIT_MS = 1_000;

/** Deletes a copy that its stream keeps. Best effort: what stays behind is delivered to nobody. */
async function dropCopy(link: Link, stream: string, sequence: number): Promise<void> {
  try {
    await deleteMessage(await link.ready(Date.now() + DROP_LIMIT_MS), stream, sequence, DROP_LIMIT_MS);
  } catch {
    // it is settled, which is what counts
  }
}

/** Settles deliveries of one pull. */
export class Settler {
  readonly #context: SettleContext;
  readonly #deliveries: Delivery[] = [];
  /** Which of them is likely to be settled next. */
  #next = 0;
  #byMessage: ReadonlyMap<StoredMessage, Delivery> | undefined;
  #collected: Entry[] = [];

  constructor(context: SettleContext) {
    this.#context = context;
  }

  /** @returns their messages, which can be settled from now on */
  add(deliveries: readonly Delivery[]): StoredMessage[] {
    this.#byMessage = undefined;
    return deliveries.map((delivery) => {
      this.#deliveries.push(delivery);
      return delivery.message;
    });
  }

  /** Mostly they are settled in their order, and need no map. */
  #deliveryOf(message: StoredMessage): Delivery | undefined {
    const likely = this.#deliveries[this.#next];
    if (likely?.message === message) {
      this.#next++;
      return likely;
    }
    this.#byMessage ??= new Map(this.#deliveries.map((delivery) => [delivery.message, delivery]));
    return this.#byMessage.get(message);
  }

  // on the class: a getter of an object literal gives each of them a hidden class of its own, which holds on to its batch
  get #timeoutMs(): number {
    return Math.max(1, Math.min(PATIENCE_MS, this.#context.settleByMs - Date.now()));
  }

  settle(message: StoredMessage, outcome: Outcome): Promise<Settled> {
    const delivery = this.#deliveryOf(message);
    if (delivery === undefined) {
      return Promise.reject(new MemphisError('INVALID_MESSAGE', `Message ${message.id} is not of this batch.`));
    }
    return new Promise((resolve, reject) => {
      if (this.#collected.length === 0) afterThisTick(() => void this.#settleCollected());
      this.#collected.push({ delivery, outcome, resolve, reject });
    });
  }

  /** Says for each message that work goes on. */
  async extend(messages: readonly StoredMessage[]): Promise<void> {
    const connection = await this.#context.link.ready(Date.now() + this.#timeoutMs);
    for (const message of messages) {
      const delivery = this.#deliveryOf(message);
      if (delivery !== undefined) connection.publish(delivery.ackSubject, ackPayload.inProgress);
    }
  }

  async #settleCollected(): Promise<void> {
    const entries = this.#collected;
    this.#collected = [];
    // what needs nothing stored does not wait for what does: a dead letter may have to wait for a leader
    const simple: Entry[] = [];
    const others: Entry[] = [];
    for (const entry of entries) (this.#isSimple(entry) ? simple : others).push(entry);
    const settled = this.#confirmAll(simple);
    if (others.length > 0) {
      const prepared = await Promise.all(others.map((entry) => this.#prepare(entry)));
      await this.#confirmAll(prepared.filter((entry) => entry !== undefined));
    }
    await settled;
  }

  async #confirmAll(entries: readonly Entry[]): Promise<void> {
    const byLane = new Map<Lane, Entry[]>();
    for (const entry of entries) {
      const known = byLane.get(entry.delivery.lane);
      if (known === undefined) byLane.set(entry.delivery.lane, [entry]);
      else known.push(entry);
    }
    await Promise.all([...byLane.values()].map((group) => this.#confirm(group)));
  }

  /** Whether nothing has to be stored before this is said to the source. */
  #isSimple({ outcome, delivery }: Entry): boolean {
    if (outcome.action === 'ack') return true;
    const { action } = withinDeliveries(outcome, delivery.message.deliveryCount, this.#context.maxDeliveries);
    if (action === 'giveBack') return !isLastOf(delivery) && !this.#mayRunOut(delivery);
    return outcome.action === 'retry' && action === 'retry' && !shouldPark(delivery.lane, outcome.delayMs);
  }

  /** Applies the limit of deliveries, and stores what has to be stored before anything is said to the source. */
  async #prepare(entry: Entry): Promise<Entry | undefined> {
    const { group, station, maxDeliveries, keepDeadLetters } = this.#context;
    const { delivery } = entry;
    let outcome = withinDeliveries(entry.outcome, delivery.message.deliveryCount, maxDeliveries);
    if (outcome.action === 'giveBack' && isLastOf(delivery)) {
      // the broker would not deliver it again
      const isParked = await this.#park(delivery, outcome.delayMs ?? 0, delivery.message.deliveryCount - 1);
      if (isParked) return { ...entry, isParked };
      outcome = {
        action: 'deadLetter',
        reason: 'given back on the last delivery that the settings of its group allow',
      };
    }
    if (outcome.action === 'giveBack') await this.#keepFromRunningOut(delivery);
    if (outcome.action === 'retry' && shouldPark(delivery.lane, outcome.delayMs)) {
      return { ...entry, isParked: await this.#park(delivery, outcome.delayMs, delivery.message.deliveryCount) };
    }
    if (outcome.action !== 'deadLetter') return entry;
    try {
      if (keepDeadLetters)
        await this.#context.setAside({ ...this.#context, timeoutMs: this.#timeoutMs }, delivery, outcome.reason);
      emit('memphis-serverless:dead-letter', () => ({
        station,
        group,
        id: delivery.message.id,
        deliveryCount: delivery.message.deliveryCount,
      }));
      return { ...entry, outcome };
    } catch (error) {
      if (delivery.lane.isShared && isMemphisError(error, 'PERMISSION_DENIED')) {
        // who may not say so can use the deliveries up: the broker sets it aside then, without a reason (memphis-wire 11.5)
        return { ...entry, outcome: { action: 'retry', delayMs: 0 } };
      }
      entry.reject(this.#unconfirmed(1, error));
      return undefined;
    }
  }

  /** A parked copy that the server could not hold back is given back before its time as a matter of course. */
  #mayRunOut({ message, lane }: Delivery): boolean {
    return message.deliveryCount >= this.#context.maxDeliveries || lane.isRetry;
  }

  /** No handler saw this delivery, so it must not be the message's last (the delivery budget). */
  async #keepFromRunningOut(delivery: Delivery): Promise<void> {
    const { link } = this.#context;
    const { credit } = delivery;
    if (!this.#mayRunOut(delivery)) return;
    // not noted: the message ends as a dead letter, whole, instead of with a handler
    await writeCredit(link, creditKeyOf(delivery), credit + 1, this.#timeoutMs).catch(() => {});
  }

  /** @returns whether a copy is stored; where it cannot be, the delay is kept as a delayed NAK, which loses nothing either */
  async #park(delivery: Delivery, delayMs: number, deliveries: number): Promise<boolean> {
    const { retries, station, group, durable } = this.#context;
    const { message, lane } = delivery;
    const { stream, sequence } = originOf(message);
    const untilMs = Date.now() + Math.min(delayMs, MAX_PARKED_MS);
    try {
      await retries.store(
        {
          station,
          durable,
          partition: lane.partition,
          stream,
          sequence,
          storedAt: message.timestamp,
          headers: delivery.headers,
          data: message.data,
          deliveries,
          ackWaitMs: lane.ackWaitMs,
          // its own: only repeats of this very store may meet. A message that was put back, or whose group was
          // destroyed, counts its deliveries anew, and would meet what was parked of it before
          copyId: ownId(),
          untilMs,
        },
        this.#timeoutMs,
      );
      emit('memphis-serverless:park', () => ({ station, group, id: message.id, delayMs }));
      return true;
    } catch (error) {
      emit('memphis-serverless:retry', () => ({ operation: 'park', attempt: 1, error }));
      return false;
    }
  }

  async #confirm(entries: readonly Entry[]): Promise<void> {
    const { link } = this.#context;
    try {
      await repeat(link, 'settle', this.#timeoutMs, (connection, limitMs) => this.#write(connection, entries, limitMs));
    } catch (error) {
      if (error instanceof Forgotten) return this.#confirmKnown(entries, error);
      const unconfirmed = this.#unconfirmed(entries.length, error);
      this.#report(entries, error);
      for (const entry of entries) entry.reject(unconfirmed);
      return;
    }
    this.#report(entries);
    const rest = entries.flatMap((entry) => this.#afterwards(entry));
    if (rest.length > 0) await Promise.all(rest);
    for (const entry of entries) entry.resolve(settledAs[entry.outcome.action]);
  }

  /** What is still to be done about a message that is settled. Most have nothing. */
  #afterwards({ delivery, outcome, isParked = false }: Entry): Promise<void>[] {
    const { link } = this.#context;
    const { lane, credit, laneSequence } = delivery;
    const isAcked = outcome.action === 'ack';
    if (!isAcked && !isParked && outcome.action !== 'deadLetter') return none;
    const rest: Promise<void>[] = [];
    if (credit > 0) rest.push(dropCredit(link, creditKeyOf(delivery)));
    if (isAcked && lane.rules !== undefined) rest.push(lane.rules.onAcked(delivery));
    if (lane.keepsSettled) rest.push(dropCopy(link, lane.stream, laneSequence));
    return rest;
  }

  /** A broker that was killed may have forgotten its latest deliveries: it never answers an ack for one of them. */
  async #confirmKnown(entries: readonly Entry[], { consumerSequence }: Forgotten): Promise<void> {
    const isKnown = ({ delivery }: Entry): boolean => delivery.consumerSequence <= consumerSequence;
    const forgotten = entries.filter((entry) => !isKnown(entry));
    const error = new MemphisError('TIMEOUT', 'The broker has forgotten that it delivered this; it will do so again.');
    this.#report(forgotten, error);
    for (const entry of forgotten) entry.reject(this.#unconfirmed(forgotten.length, error));
    const known = entries.filter(isKnown);
    if (known.length > 0) await this.#confirm(known);
  }

  async #write(connection: Connection, entries: readonly Entry[], limitMs: number): Promise<void> {
    // the newest goes last: a broker that was killed may have forgotten some, and knows all others where it knows that one
    let last = entries[0];
    if (last === undefined) return;
    for (const entry of entries) {
      if (entry.delivery.consumerSequence > last.delivery.consumerSequence) last = entry;
    }
    const { delivery } = last;
    for (const entry of entries) {
      if (entry !== last) connection.publish(entry.delivery.ackSubject, payloadOf(entry));
    }
    const answer = await connection
      .request(delivery.ackSubject, payloadOf(last), { timeoutMs: limitMs })
      .catch(async (error: unknown) => {
        if (!isMemphisError(error, 'TIMEOUT')) throw error;
        const leftMs = Math.min(limitMs, this.#timeoutMs, WHY_LIMIT_MS);
        throw await whySilent(connection, delivery, leftMs, error);
      });
    if (answer.status === 503) {
      throw new MemphisError(
        'JETSTREAM_UNAVAILABLE',
        'Nobody listens for acks: the group was deleted, or has no leader.',
      );
    }
  }

  #unconfirmed(count: number, cause: unknown): MemphisError {
    const { station, group } = this.#context;
    return new MemphisError(
      'SETTLE_UNCONFIRMED',
      `The broker did not confirm what was settled of ${count} messages of station ${station}, group ${group}. ` +
        'They may be delivered again.',
      { cause, station, group },
    );
  }

  #report(entries: readonly Entry[], error?: unknown): void {
    const { station, group } = this.#context;
    emit('memphis-serverless:settle', () => {
      const count = (action: Outcome['action']): number =>
        entries.filter((entry) => entry.outcome.action === action).length;
      return {
        station,
        group,
        acked: count('ack'),
        retried: count('retry'),
        deadLettered: count('deadLetter'),
        givenBack: count('giveBack'),
        ...(error === undefined ? {} : { error }),
      };
    });
  }
}
