/**
 * Settling: what is decided in one tick travels in one write, and the last message of each durable goes as a
 * request. Its answer vouches for those written before it on the same connection (jetstream-servers, Clusters).
 */

import type { Link } from '../../connection/link.ts';
import type { Batch } from '../../model/batch.ts';
import { MemphisError } from '../../model/errors.ts';
import type { StoredMessage } from '../../model/message.ts';
import type { Outcome, Settled } from '../../model/outcome.ts';
import { emit } from '../../telemetry/channels.ts';
import { creditKeyOf, dropCredit } from './credits.ts';
import type { Delivery, Lane } from './lane.ts';
import { repeat } from './repeat.ts';
import { type Entry, type SettleContext, timeLeftMs, unconfirmed } from './settling.ts';
import { needsNothingStored, storeFirst } from './store-first.ts';
import { Forgotten, writeAll } from './tell-source.ts';
import { ackPayload } from './wire/ack.ts';
import { deleteMessage } from './wire/streams.ts';

/** When all that is decided in this tick is known. */
const afterThisTick = (run: () => void): void => void Promise.resolve().then(() => process.nextTick(run));
const settledAs = { ack: 'acked', retry: 'retried', deadLetter: 'deadLettered', giveBack: 'givenBack' } as const;

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

/** What is still to be done about messages that are settled. Most have nothing. */
function afterwards(link: Link, entries: readonly Entry[]): Promise<void>[] {
  const rest: Promise<void>[] = [];
  for (const { delivery, outcome, isParked } of entries) {
    const { lane, credit, laneSequence } = delivery;
    const isAcked = outcome.action === 'ack';
    if (!isAcked && isParked !== true && outcome.action !== 'deadLetter') continue;
    if (credit > 0) rest.push(dropCredit(link, creditKeyOf(delivery)));
    if (isAcked && lane.rules !== undefined) rest.push(lane.rules.onAcked(delivery));
    if (lane.keepsSettled) rest.push(dropCopy(link, lane.stream, laneSequence));
  }
  return rest;
}

/** By the lane that they came from. */
type Entries = Map<Lane, Entry[]>;

function addTo(byLane: Entries, entry: Entry): void {
  const known = byLane.get(entry.delivery.lane);
  if (known === undefined) byLane.set(entry.delivery.lane, [entry]);
  else known.push(entry);
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
    const messages: StoredMessage[] = [];
    for (const delivery of deliveries) {
      this.#deliveries.push(delivery);
      messages.push(delivery.message);
    }
    return messages;
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

  settle(message: StoredMessage, outcome: Outcome): Promise<Settled> {
    return new Promise((resolve, reject) => {
      if (this.#collected.length === 0) afterThisTick(() => void this.#settleCollected());
      this.#collect([message], [outcome], resolve, reject);
    });
  }

  /** Also what was decided in this tick before. Does not throw: one of the last two is called for each message. */
  settleAll(...decided: Parameters<NonNullable<Batch['settleAll']>>): void {
    this.#collect(...decided);
    void this.#settleCollected();
  }

  #collect(...[messages, outcomes, resolve, reject]: Parameters<NonNullable<Batch['settleAll']>>): void {
    for (let index = 0; index < messages.length; index++) {
      const message = messages[index] as StoredMessage;
      const outcome = outcomes[index] as Outcome;
      const delivery = this.#deliveryOf(message);
      if (delivery !== undefined) this.#collected.push({ delivery, outcome, resolve, reject });
      else reject(new MemphisError('INVALID_MESSAGE', `Message ${message.id} is not of this batch.`));
    }
  }

  /** Says for each message that work goes on. */
  async extend(messages: readonly StoredMessage[]): Promise<void> {
    const connection = await this.#context.link.ready(Date.now() + timeLeftMs(this.#context));
    for (const message of messages) {
      const delivery = this.#deliveryOf(message);
      if (delivery !== undefined) connection.publish(delivery.ackSubject, ackPayload.inProgress);
    }
  }

  async #settleCollected(): Promise<void> {
    const entries = this.#collected;
    this.#collected = [];
    // what needs nothing stored does not wait for what does: a dead letter may have to wait for a leader
    const simple: Entries = new Map();
    const others: Entry[] = [];
    const { maxDeliveries } = this.#context;
    for (const entry of entries) {
      if (needsNothingStored(entry, maxDeliveries)) addTo(simple, entry);
      else others.push(entry);
    }
    const settled = this.#confirmAll(simple);
    if (others.length > 0) {
      const stored: Entries = new Map();
      for (const entry of await Promise.all(others.map((other) => storeFirst(this.#context, other)))) {
        if (entry !== undefined) addTo(stored, entry);
      }
      await this.#confirmAll(stored);
    }
    await settled;
  }

  #confirmAll(byLane: Entries): Promise<unknown> {
    return Promise.all([...byLane.values()].map((entries) => this.#confirm(entries)));
  }

  async #confirm(entries: readonly Entry[]): Promise<void> {
    const { link, beside } = this.#context;
    const untilMs = Date.now() + timeLeftMs(this.#context);
    try {
      await repeat(link, 'settle', untilMs - Date.now(), (connection, limitMs) =>
        writeAll(connection, entries, limitMs, untilMs),
      );
    } catch (error) {
      if (error instanceof Forgotten) return this.#confirmKnown(entries, error);
      this.#fail(entries, error);
      return;
    }
    this.#report(entries);
    const rest: Promise<unknown>[] = afterwards(link, entries);
    const told = beside.settled();
    if (told !== undefined) rest.push(told);
    if (rest.length > 0) await Promise.all(rest);
    for (const entry of entries) entry.resolve(settledAs[entry.outcome.action]);
  }

  /** A broker that was killed may have forgotten its latest deliveries: it never answers an ack for one of them. */
  async #confirmKnown(entries: readonly Entry[], { consumerSequence }: Forgotten): Promise<void> {
    const isKnown = ({ delivery }: Entry): boolean => delivery.consumerSequence <= consumerSequence;
    const error = new MemphisError('TIMEOUT', 'The broker has forgotten that it delivered this; it will do so again.');
    this.#fail(
      entries.filter((entry) => !isKnown(entry)),
      error,
    );
    const known = entries.filter(isKnown);
    if (known.length > 0) await this.#confirm(known);
  }

  #fail(entries: readonly Entry[], error: unknown): void {
    this.#report(entries, error);
    const failure = unconfirmed(this.#context, entries.length, error);
    for (const entry of entries) entry.reject(failure);
  }

  #report(entries: readonly Entry[], error?: unknown): void {
    const { station, group } = this.#context;
    emit('memphis-serverless:settle', () => {
      const counts = { acked: 0, retried: 0, deadLettered: 0, givenBack: 0 };
      for (const { outcome } of entries) counts[settledAs[outcome.action]]++;
      return { station, group, ...counts, ...(error === undefined ? {} : { error }) };
    });
  }
}
