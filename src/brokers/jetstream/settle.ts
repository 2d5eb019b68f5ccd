/**
 * Settling: what is decided in one tick travels in one write, and the last message of each durable goes as a
 * request. Its answer vouches for those written before it on the same connection (jetstream-servers, Clusters).
 */

import type { Link } from '../../connection/link.ts';
import { leftUntil } from '../../connection/within.ts';
import type { Batch } from '../../model/batch.ts';
import { MemphisError } from '../../model/errors.ts';
import type { StoredMessage } from '../../model/message.ts';
import { type Outcome, type Settled, settledAs } from '../../model/outcome.ts';
import { emit } from '../../telemetry/channels.ts';
import { creditKeyOf, dropCredit } from './credits.ts';
import { Delivered } from './delivery.ts';
import type { Decision, Delivery } from './lane.ts';
import { repeat } from './repeat.ts';
import { type Decided, type SettleContext, timeLeftMs, unconfirmed } from './settling.ts';
import { needsNothingStored, storeFirst } from './store-first.ts';
import { Forgotten, writeAll } from './tell-source.ts';
import { ackPayload } from './wire/ack.ts';
import { deleteMessage } from './wire/streams.ts';

/** How long taking a note or a copy away may hold up the end of settling. */
const DROP_LIMIT_MS = 1_000;

/** Deletes a copy that its stream keeps. Best effort: what stays behind is delivered to nobody. */
async function dropCopy(link: Link, stream: string, sequence: number, limitMs: number): Promise<void> {
  try {
    const untilMs = Date.now() + limitMs;
    await deleteMessage(await link.ready(untilMs), stream, sequence, leftUntil(untilMs));
  } catch {
    // it is settled, which is what counts
  }
}

/** What is still to be done about messages that are settled. Most have nothing. */
function afterwards(context: SettleContext, deliveries: readonly Decided[]): Promise<unknown>[] {
  const { link } = context;
  const leftMs = timeLeftMs(context);
  const dropMs = Math.min(DROP_LIMIT_MS, leftMs);
  const rest: Promise<unknown>[] = [];
  for (const delivery of deliveries) {
    const { lane, credit, decision } = delivery;
    const { action } = decision.outcome;
    const isAcked = action === 'ack';
    if (!isAcked && !decision.isParked && action !== 'deadLetter') continue;
    if (credit > 0) rest.push(dropCredit(link, creditKeyOf(delivery), dropMs));
    if (isAcked && lane.rules !== undefined) rest.push(lane.rules.onAcked(delivery, leftMs));
    if (lane.keepsSettled) rest.push(dropCopy(link, lane.stream, delivery.position.sequence, dropMs));
  }
  return rest;
}

/** Settles deliveries of one pull. */
export class Settler {
  readonly #context: SettleContext;
  #added = 0;
  /** When the time to settle began, by the wall clock; begun anew for some, it counts for all. */
  #heldSinceMs = 0;
  // Decided in this tick. What needs nothing stored does not wait for what does: a dead letter may have to wait for a leader.
  readonly #simple: Decided[] = [];
  readonly #others: Decided[] = [];

  constructor(context: SettleContext) {
    this.#context = context;
  }

  /** From now on they can be settled. */
  add(deliveries: readonly Delivery[]): void {
    this.#heldSinceMs = Date.now();
    for (const delivery of deliveries) {
      delivery.owner = this;
      delivery.place = this.#added++;
    }
  }

  /** Whether a message was added, and nothing was decided about it yet; a copy of one was not. */
  #has(message: StoredMessage): message is Delivery {
    return message instanceof Delivered && message.owner === this;
  }

  settle(message: StoredMessage, outcome: Outcome): Promise<Settled> {
    return new Promise((...told) => {
      // when all that is decided in this tick is known
      const isFirst = this.#simple.length + this.#others.length === 0;
      if (isFirst) void Promise.resolve().then(() => process.nextTick(() => this.#settleCollected()));
      this.#collect([message], [outcome], ...told);
    });
  }

  /** Also what was decided in this tick before. Does not throw: one of the last two is called for each message. */
  settleAll(...decided: Parameters<NonNullable<Batch['settleAll']>>): void {
    this.#collect(...decided);
    this.#settleCollected();
  }

  #collect(...[messages, outcomes, ...told]: Parameters<NonNullable<Batch['settleAll']>>): void {
    let decision: Decision | undefined;
    messages.forEach((message, index) => {
      const outcome = outcomes[index] as Outcome;
      if (decision?.outcome !== outcome) decision = { outcome, told };
      if (this.#has(message)) {
        message.decision = decision;
        message.owner = undefined; // another decision would take the place of this one, which is on its way
        const isSimple = needsNothingStored(message as Decided, this.#context.maxDeliveries);
        (isSimple ? this.#simple : this.#others).push(message as Decided);
      } else told[1](new MemphisError('INVALID_MESSAGE', `Message ${message.id} is not open here.`));
    });
  }

  /** Says for each message that work goes on. */
  async extend(messages: readonly StoredMessage[]): Promise<void> {
    const connection = await this.#context.link.ready(Date.now() + timeLeftMs(this.#context));
    this.#heldSinceMs = Date.now();
    for (const message of messages) {
      if (this.#has(message)) connection.publish(message.ackSubject, ackPayload.inProgress);
    }
  }

  #settleCollected(): void {
    this.#confirmAll(this.#simple.splice(0));
    if (this.#others.length > 0) void this.#storeAndConfirm(this.#others.splice(0));
  }

  async #storeAndConfirm(deliveries: readonly Decided[]): Promise<void> {
    const heldMs = Date.now() - this.#heldSinceMs;
    const stored = await Promise.all(deliveries.map((delivery) => storeFirst(this.#context, delivery, heldMs)));
    this.#confirmAll(deliveries.filter((_, index) => stored[index]));
  }

  /** Each durable by itself. */
  #confirmAll(deliveries: readonly Decided[]): void {
    for (const lane of new Set(deliveries.map((delivery) => delivery.lane))) {
      void this.#confirm(deliveries.filter((delivery) => delivery.lane === lane));
    }
  }

  /** Never rejects: for each delivery somebody is told. */
  async #confirm(deliveries: readonly Decided[]): Promise<void> {
    const { link } = this.#context;
    const leftMs = timeLeftMs(this.#context);
    const untilMs = Date.now() + leftMs;
    try {
      await repeat(link, 'settle', leftMs, (connection, limitMs) => writeAll(connection, deliveries, limitMs, untilMs));
    } catch (error) {
      if (error instanceof Forgotten) return this.#confirmKnown(deliveries, error);
      this.#fail(deliveries, error);
      return;
    }
    this.#report(deliveries);
    const rest = afterwards(this.#context, deliveries);
    if (rest.length > 0) await Promise.all(rest);
    for (const { decision } of deliveries) decision.told[0](settledAs[decision.outcome.action]);
  }

  /** A broker that was killed may have forgotten its latest deliveries: it never answers an ack for one of them. */
  async #confirmKnown(deliveries: readonly Decided[], { consumerSequence }: Forgotten): Promise<void> {
    const isKnown = ({ position }: Decided): boolean => position.consumerSequence <= consumerSequence;
    const error = new MemphisError('TIMEOUT', 'The broker has forgotten that it delivered this; it will do so again.');
    this.#fail(
      deliveries.filter((delivery) => !isKnown(delivery)),
      error,
    );
    const known = deliveries.filter(isKnown);
    if (known.length > 0) await this.#confirm(known);
  }

  #fail(deliveries: readonly Decided[], error: unknown): void {
    this.#report(deliveries, error);
    const failure = unconfirmed(this.#context, deliveries.length, error);
    for (const { decision } of deliveries) decision.told[1](failure);
  }

  #report(deliveries: readonly Decided[], error?: unknown): void {
    const { station, group } = this.#context;
    emit('memphis-serverless:settle', () => {
      const counts = { acked: 0, retried: 0, deadLettered: 0, givenBack: 0 };
      for (const { decision } of deliveries) counts[settledAs[decision.outcome.action]]++;
      return { station, group, ...counts, ...(error === undefined ? {} : { error }) };
    });
  }
}
