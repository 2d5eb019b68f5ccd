/** What a contract case works on, and the words in which cases are written. */

import assert from 'node:assert/strict';
import type { Batch } from '../../model/batch.ts';
import type {
  BrokerAdmin,
  OutgoingMessage,
  PullOptions,
  Reader,
  ReaderOptions,
  WholeBroker,
} from '../../model/broker.ts';
import type { DeadLetterRecord, DeadLetterStore } from '../../model/dead-letter.ts';
import { type ErrorCode, isMemphisError } from '../../model/errors.ts';
import { FIELDS, type StoredMessage } from '../../model/message.ts';
import type { Outcome, Settled } from '../../model/outcome.ts';
import type { Receipt } from '../../model/receipt.ts';
import { type StationOptions, toStationSettings } from '../../model/station-settings.ts';

/** A broker with nothing of the case's on it. */
export interface ContractSubject {
  readonly broker: WholeBroker;
  /** Destroys groups as the client that reads with `broker`. */
  readonly admin: BrokerAdmin;
  /** What one message may hold, headers included. */
  readonly maxPayloadBytes: number;
  /** Copies of each message of a station. @default 1 */
  readonly replicas?: number;
  /** The broker is too old for stations that get copies of dead letters: they must be refused. @default false */
  readonly lacksLinkedStations?: boolean;
  /**
   * Lets time pass: in memory by a clock, else by waiting.
   *
   * @param until where time is real, ends the waiting early
   */
  pass(ms: number, until?: Promise<unknown>): Promise<void>;
  /** Ends whoever works with `broker` without a word, as SIGKILL does. @returns another one on the same broker */
  crash(): Promise<WholeBroker>;
}

/** One promise of a driver. */
export interface ContractCase {
  /** A sentence of behaviour. */
  readonly name: string;
  /** Rejects where the promise is not kept. */
  run(subject: ContractSubject): Promise<void>;
}

/** Longer than any case takes where time is real: nothing comes back by itself. */
export const LONG_MS = 30_000;
/** Time to settle of cases that wait until it is over. */
export const SHORT_MS = 1_000;

/** A station and a group of a case, and what can be done with them. */
export class Scene {
  readonly subject: ContractSubject;
  readonly station: string;
  #broker: WholeBroker;

  constructor(subject: ContractSubject, station: string) {
    this.subject = subject;
    this.station = station;
    this.#broker = subject.broker;
  }

  get broker(): WholeBroker {
    return this.#broker;
  }

  async crash(): Promise<void> {
    this.#broker = await this.subject.crash();
  }

  reader(options: Partial<ReaderOptions> = {}): Reader {
    return this.#broker.reader({ ...this.#reading, ...options });
  }

  /** That of readers which were asked for without options. */
  destroyGroup(): Promise<void> {
    return this.subject.admin.destroyGroup(this.#reading);
  }

  get #reading(): ReaderOptions {
    return { station: this.station, group: 'billing', ackWaitMs: LONG_MS, maxDeliveries: 3 };
  }

  publish(text: string, more: Partial<OutgoingMessage> = {}): Promise<Receipt> {
    const data = new TextEncoder().encode(text);
    const message = { station: this.station, partition: 1, headers: {}, producerName: 'contract', data, ...more };
    return this.#broker.publish(message, { timeoutMs: 10_000 });
  }

  async publishAll(...texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.publish(text);
  }

  /** A pull whose wait passes, also where time stands still. */
  async pull(reader: Reader, options: Partial<PullOptions> = {}): Promise<Batch> {
    const pull = { batchSize: 10, waitMs: 0, ...options };
    const pulling = reader.pull(pull);
    if (pull.waitMs > 0) await this.subject.pass(pull.waitMs, pulling);
    return pulling;
  }

  /** Pulls until so many messages are there, and fails without them. */
  async take(reader: Reader, count: number, options: Partial<PullOptions> = {}): Promise<Taken[]> {
    const taken: Taken[] = [];
    for (let tries = 0; taken.length < count && tries < 60; tries++) {
      const batch = await this.pull(reader, {
        waitMs: tries === 0 ? 0 : 250,
        batchSize: count - taken.length,
        ...options,
      });
      taken.push(...batch.messages.map((message) => new Taken(batch, message)));
    }
    assert.equal(taken.length, count, `${taken.length} of ${count} messages came`);
    return taken;
  }

  /** The one message that comes next. */
  async takeOne(reader: Reader): Promise<Taken> {
    const [taken] = await this.take(reader, 1);
    return taken as Taken;
  }

  /** Nothing is there for a reader at this moment. */
  async isEmpty(reader: Reader): Promise<void> {
    assert.deepEqual(textsOf((await this.pull(reader)).messages), []);
  }

  get letters(): DeadLetterStore {
    return this.subject.admin.deadLetterStore(this.station, false);
  }

  /** What was set aside, oldest first. */
  deadLetters(group?: string): Promise<readonly DeadLetterRecord[]> {
    return this.letters.list({ after: 0, limit: 100, ...(group !== undefined && { group }) });
  }
}

/** One delivery in hand. */
export class Taken {
  readonly batch: Batch;
  readonly message: StoredMessage;
  readonly #stored: StoredMessage;

  constructor(batch: Batch, stored: StoredMessage) {
    this.batch = batch;
    this.message = toPlain(stored);
    this.#stored = stored;
  }

  get text(): string {
    return textOf(this.message);
  }

  settle(outcome: Outcome): Promise<Settled> {
    return this.batch.settle(this.#stored, outcome);
  }

  extend(): Promise<void> {
    return this.batch.extend([this.#stored]);
  }

  ack(): Promise<Settled> {
    return this.settle({ action: 'ack' });
  }
}

/** A message with its fields as its own: a driver may read each of them off the wire when it is asked for. */
export function toPlain(message: StoredMessage): StoredMessage {
  const fields = FIELDS.map((field) => [field, message[field]]).filter(([, value]) => value !== undefined);
  return Object.fromEntries(fields) as StoredMessage;
}

let scenes = 0;

/** A case on a station of its own. */
export function onStation(
  name: string,
  play: (scene: Scene) => Promise<void>,
  options: StationOptions = {},
): ContractCase {
  return {
    name,
    run: async (subject) => {
      scenes += 1;
      const station = `contract.${process.pid}-${scenes}`;
      const settings = { storageType: 'memory', replicas: subject.replicas ?? 1, ...options } as const;
      await subject.admin.createStation(station, toStationSettings(station, settings));
      await play(new Scene(subject, station));
    },
  };
}

export const textOf = (message: { readonly data: Uint8Array }): string => new TextDecoder().decode(message.data);

export const textsOf = (messages: readonly { readonly data: Uint8Array }[]): string[] => messages.map(textOf);

/** Fails unless some work is refused with a code. */
export async function refuses(code: ErrorCode, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(isMemphisError(error), `no MemphisError: ${String(error)}`);
    assert.equal(error.code, code, error.message);
    return true;
  });
}
