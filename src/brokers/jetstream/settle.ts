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
import { Delivered } from './delivery.ts';
import type { Delivery } from './lane.ts';
import { repeat } from './repeat.ts';
import { type Entry, type SettleContext, timeLeftMs, unconfirmed } from './settling.ts';
import { needsNothingStored, storeFirst } from './store-first.ts';
import { Forgotten, writeAll } from './tell-source.ts';
import { ackPayload } from './wire/ack.ts';
import { deleteMessage } from './wire/streams.ts';

/** When all that is decided in this tick is known. */
function afterThisTick(run: () => void): void {
  return void Promise.resolve().then(() => process.nextTick(run));
}
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
function afterwards(link: Link, entries: readonly Entry[]): Promise<unknown>[] {
  const rest: Promise<unknown>[] = [];
  for (const { delivery, outcome, isParked } of entries) {
    const { lane, credit } = delivery;
    const isAcked = outcome.action === 'ack';
    if (!isAcked && isParked !== true && outcome.action !== 'deadLetter') continue;
    if (credit > 0) rest.push(dropCredit(link, creditKeyOf(delivery)));
    if (isAcked && lane.rules !== undefined) rest.push(lane.rules.onAcked(delivery));
    if (lane.keepsSettled) rest.push(dropCopy(link, lane.stream, delivery.position.sequence));
  }
  return rest;
}

/** Settles deliveries of one pull. */
export class Settler {
  readonly #context: SettleContext;
  #added = 0;
  #collected: Entry[] = [];

  constructor(context: SettleContext) {
    this.#context = context;
  }

  /** From now on they can be settled. */
  add(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      delivery.owner = this;
      delivery.place = this.#added++;
    }
  }

  /** Whether a message was added; a copy of one was not. */
  #has(message: StoredMessage): message is Delivery {
    return message instanceof Delivered && message.owner === this;
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
      if (this.#has(message)) this.#collected.push({ delivery: message, outcome, resolve, reject });
      else reject(new MemphisError('INVALID_MESSAGE', `Message ${message.id} is not of this batch.`));
    }
  }

  /** Says for each message that work goes on. */
  async extend(messages: readonly StoredMessage[]): Promise<void> {
    const connection = await this.#context.link.ready(Date.now() + timeLeftMs(this.#context));
    for (const message of messages) {
      if (this.#has(message)) connection.publish(message.ackSubject, ackPayload.inProgress);
    }
  }

  async #settleCollected(): Promise<void> {
    const entries = this.#collected;
    this.#collected = [];
    // what needs nothing stored does not wait for what does: a dead letter may have to wait for a leader
    const simple: Entry[] = [];
    const others: Entry[] = [];
    const { maxDeliveries } = this.#context;
    for (const entry of entries) (needsNothingStored(entry, maxDeliveries) ? simple : others).push(entry);
    this.#confirmAll(simple);
    if (others.length === 0) return;
    const stored = await Promise.all(others.map((other) => storeFirst(this.#context, other)));
    this.#confirmAll(stored.filter((entry) => entry !== undefined));
  }

  /** Each durable by itself. Never rejects: each entry is told. */
  #confirmAll(entries: readonly Entry[]): void {
    for (const of of Map.groupBy(entries, ({ delivery }) => delivery.lane).values()) void this.#confirm(of);
  }

  async #confirm(entries: readonly Entry[]): Promise<void> {
    const { link } = this.#context;
    const leftMs = timeLeftMs(this.#context);
    const untilMs = Date.now() + leftMs;
    try {
      await repeat(link, 'settle', leftMs, (connection, limitMs) => writeAll(connection, entries, limitMs, untilMs));
    } catch (error) {
      if (error instanceof Forgotten) return this.#confirmKnown(entries, error);
      this.#fail(entries, error);
      return;
    }
    this.#report(entries);
    const rest = afterwards(link, entries);
    if (rest.length > 0) await Promise.all(rest);
    for (const entry of entries) entry.resolve(settledAs[entry.outcome.action]);
  }

  /** A broker that was killed may have forgotten its latest deliveries: it never answers an ack for one of them. */
  async #confirmKnown(entries: readonly Entry[], { consumerSequence }: Forgotten): Promise<void> {
    const isKnown = ({ delivery }: Entry): boolean => delivery.position.consumerSequence <= consumerSequence;
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
