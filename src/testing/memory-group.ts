/** A group's position in one partition held in memory: what is under way, what comes back when. Pure but for its state. */

import type { StoredMessage } from '../model/message.ts';
import { type Outcome, type Settled, withinDeliveries } from '../model/outcome.ts';
import type { StartPosition } from '../model/source.ts';

/** A message handed out and not settled. */
interface Pending {
  /** Deliveries that count; those given back do not. */
  deliveries: number;
  /** Tells deliveries of one message apart: what an older one says about a delay is stale. */
  token: number;
  /** When it was handed out, extended or put back. */
  sinceMs: number;
  /** So long after that it is delivered again; nothing: when the time to settle is over. */
  delayMs: number | undefined;
}

/** One delivery. */
export interface MemoryDelivery {
  readonly message: StoredMessage;
  readonly token: number;
}

/** What a group does with messages whose deliveries ran out, and with those dead-lettered on purpose. */
export type SetAside = (message: StoredMessage, reason: string) => void;

/** The position of a group in a partition. */
export class MemoryPosition {
  /** Where it was asked to begin; nothing: at the first message. */
  readonly start: StartPosition | undefined;
  #next: number;
  #tokens = 0;
  #isOrdered = false;
  /** Of the newest reader; also what is under way keeps to it, as on a real broker. */
  #ackWaitMs = 0;
  readonly #pending = new Map<number, Pending>();

  /** @param stored how many messages the partition holds by now */
  constructor(start: StartPosition | undefined, stored: number) {
    this.start = start;
    if (start === undefined) this.#next = 0;
    else this.#next = 'sequence' in start ? start.sequence - 1 : Math.max(0, stored - start.lastMessages);
  }

  /** From now on one message is out at a time. */
  keepOrder(): void {
    this.#isOrdered = true;
  }

  /**
   * Takes messages that are due, those to be delivered again first. One whose deliveries ran out while nobody
   * settled it is set aside instead.
   */
  take(
    log: readonly StoredMessage[],
    options: {
      readonly limit: number;
      readonly nowMs: number;
      readonly ackWaitMs: number;
      readonly maxDeliveries: number;
    },
    setAside: SetAside,
  ): readonly MemoryDelivery[] {
    const { nowMs, maxDeliveries } = options;
    this.#ackWaitMs = options.ackWaitMs;
    const limit = this.#isOrdered ? Math.min(1, options.limit) : options.limit;
    const taken: MemoryDelivery[] = [];
    const deliver = (stored: StoredMessage, pending: Pending): void => {
      pending.deliveries += 1;
      pending.token = ++this.#tokens;
      pending.sinceMs = nowMs;
      pending.delayMs = undefined;
      taken.push({ message: { ...stored, deliveryCount: pending.deliveries }, token: pending.token });
    };
    const due = [...this.#pending].filter(([, pending]) => this.#dueMs(pending) <= nowMs).sort(([a], [b]) => a - b);
    for (const [sequence, pending] of due) {
      const stored = log[sequence - 1] as StoredMessage;
      if (pending.deliveries >= maxDeliveries) {
        this.#pending.delete(sequence);
        setAside({ ...stored, deliveryCount: pending.deliveries }, 'deliveries ran out and nobody settled it');
      } else if (taken.length < limit) deliver(stored, pending);
    }
    if (this.#isOrdered && this.#pending.size > 0) return taken;
    while (taken.length < limit && this.#next < log.length) {
      const stored = log[this.#next++] as StoredMessage;
      const pending: Pending = { deliveries: 0, token: 0, sinceMs: nowMs, delayMs: undefined };
      this.#pending.set(stored.sequence, pending);
      deliver(stored, pending);
    }
    return taken;
  }

  /** Applies what was decided about a delivery; a delay from one that was followed by another has no effect. */
  settle(
    { message, token }: MemoryDelivery,
    wanted: Outcome,
    options: { readonly nowMs: number; readonly maxDeliveries: number },
    setAside: SetAside,
  ): Settled {
    const outcome = withinDeliveries(wanted, message.deliveryCount, options.maxDeliveries);
    const pending = this.#pending.get(message.sequence);
    const isCurrent = pending?.token === token;
    switch (outcome.action) {
      case 'ack':
        this.#pending.delete(message.sequence);
        return 'acked';
      case 'deadLetter':
        if (this.#pending.delete(message.sequence)) setAside(message, outcome.reason);
        return 'deadLettered';
      case 'retry':
        if (pending !== undefined && isCurrent) putOff(pending, options.nowMs, outcome.delayMs);
        return 'retried';
      case 'giveBack':
        if (pending !== undefined && isCurrent) {
          putOff(pending, options.nowMs, outcome.delayMs ?? 0);
          pending.deliveries -= 1;
        }
        return 'givenBack';
    }
  }

  /** Delivers a message again as if for the first time. */
  putBack(sequence: number, nowMs: number): void {
    this.#pending.set(sequence, { deliveries: 0, token: 0, sinceMs: nowMs, delayMs: 0 });
  }

  /** Starts the time to settle of a delivery anew. */
  extend({ message, token }: MemoryDelivery, nowMs: number): void {
    const pending = this.#pending.get(message.sequence);
    if (pending?.token === token) pending.sinceMs = nowMs;
  }

  /** Messages of a log that were not handed out yet, and those that were and are not settled. */
  remaining(log: readonly StoredMessage[]): {
    readonly unread: number;
    readonly underWay: number;
    /** Of these, handed out more than once. */
    readonly redelivered: number;
  } {
    const redelivered = [...this.#pending.values()].filter(({ deliveries }) => deliveries > 1).length;
    return { unread: Math.max(0, log.length - this.#next), underWay: this.#pending.size, redelivered };
  }

  /** When the next one of them comes back; `Infinity` without any. */
  get nextDueMs(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.#pending.values()].map((pending) => this.#dueMs(pending)));
  }

  #dueMs({ sinceMs, delayMs }: Pending): number {
    return sinceMs + (delayMs ?? this.#ackWaitMs);
  }
}

function putOff(pending: Pending, nowMs: number, delayMs: number): void {
  pending.sinceMs = nowMs;
  pending.delayMs = delayMs;
}
