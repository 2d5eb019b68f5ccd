/** How producers send: check all, address, send, and know what is under way. To one station or to several. */

import type { Broker, OutgoingMessage } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import type { Given, Resolved } from '../model/option-spec.ts';
import { type OnProduceError, produceOptions, type producerOptions } from '../model/options/produce.ts';
import { choosePartition } from '../model/partition.ts';
import type { Receipt, Written } from '../model/receipt.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import type { SchemaReader } from '../model/schema-reader.ts';
import { checkName } from '../model/station.ts';
import { registered } from '../schemas/registry.ts';
import { type Encode, encoderFor } from './by-schema.ts';
import { type Draft, toDraft } from './draft.ts';
import { handFailure } from './hand-failure.ts';
import { drain, Outbox, type Outboxes } from './outbox.ts';
import { isBytes } from './payload.ts';
import { Room } from './room.ts';
import { all, type Sending, toMemphisError } from './sending.ts';
import type { Session } from './session.ts';
import { uniqueName } from './unique-name.ts';

/** Options of one produce. */
export type ProduceOptions = Given<typeof produceOptions>;

/** Whether a produce is not to wait; options that cannot be read are refused where all of them are checked. */
export function isAsync(options: ProduceOptions | undefined): boolean {
  try {
    return options?.async === true;
  } catch {
    return false;
  }
}

export class Dispatch {
  readonly name: string;
  readonly stations: readonly string[];
  readonly ackWaitMs: number;
  readonly room = new Room();
  readonly #session: Session;
  readonly #onError: OnProduceError | undefined;
  readonly #schema: SchemaReader | undefined;
  readonly #outboxes: Outboxes;
  readonly #outbox: Outbox;
  readonly #turns = new Map<string, number>();
  #isDestroyed = false;

  /** @throws MemphisError `INVALID_NAME`, `INVALID_OPTION` */
  constructor(
    session: Session,
    stations: readonly string[],
    options: Resolved<typeof producerOptions>,
    outboxes: Outboxes,
  ) {
    this.stations = stations.map((station) => checkName('station', station));
    const name = checkName('producer', options.name);
    this.name = options.genUniqueSuffix ? uniqueName(name) : name;
    this.ackWaitMs = options.ackWaitMs;
    this.#onError = options.onError;
    this.#schema = options.schema;
    this.#session = session;
    this.#outboxes = outboxes;
    this.#outbox = new Outbox(outboxes.busy);
  }

  /**
   * One message to each station: resolves when all are stored or, with `async`, written.
   *
   * @param pick what the caller gets of the receipts
   */
  produce<R>(
    message: unknown,
    given: ProduceOptions | undefined,
    pick: (receipts: readonly (Receipt | Written)[]) => R,
  ): Promise<R> {
    if (given !== undefined && isAsync(given)) return this.#leave(message, given, pick);
    const stored = this.#start(message, given).then(all);
    this.#outbox.track(stored);
    return stored.then(pick);
  }

  /** As `produce` with `async`; `ended` rejects with a failure that no `onError` took. */
  async begin(message: unknown, given: ProduceOptions): Promise<{ written: readonly Written[]; ended: Promise<void> }> {
    const { written, ends } = await this.#begin(message, given);
    const ended = Promise.all(ends.map((end) => end.ended)).then(() => {});
    ended.catch(() => {}); // for whoever looks at it
    return { written, ended };
  }

  /** A promise that may be left alone: what fails then is told as what fails later. */
  #leave<R>(message: unknown, given: ProduceOptions, pick: (written: readonly Written[]) => R): Promise<R> {
    const begun = this.#begin(message, given);
    const later = begun.then(({ ends }) =>
      Promise.all(ends.map(({ station, ended }) => this.#outbox.keep(station, ended))),
    );
    this.#outbox.track(later);
    const station = this.stations[0] ?? '';
    const onError = given.onError ?? this.#onError;
    return this.#outbox.leave(
      begun.then(({ written }) => pick(written)),
      station,
      (error) => handFailure(error, { ...given, message, station }, this.name, onError),
    );
  }

  /** Sends one message to each station, all of it checked. @throws MemphisError what fails before anything is sent */
  async #start(message: unknown, given: ProduceOptions | undefined): Promise<readonly Sending[]> {
    this.refuseClosed();
    const options = resolveOptions('produce', produceOptions, given);
    const draft = toDraft('produce', message, options);
    const timeoutMs = options.ackWaitMs ?? this.ackWaitMs;
    const deadlineMs = Date.now() + timeoutMs;
    const broker = await this.#session.broker();
    const guess = options.async ? undefined : this.#guess(broker, draft);
    if (guess !== undefined) return guess.map((letter) => this.#sendGuess(broker, letter, message, given, timeoutMs));
    const layout = await this.layout(broker, timeoutMs);
    const composed = await this.compose(layout, draft, await this.encoders(broker, timeoutMs), timeoutMs);
    // after its promise has resolved, the caller may write to that memory again
    const isLent = options.async && isBytes(message);
    const letters = isLent ? composed.map((letter) => ({ ...letter, data: letter.data.slice() })) : composed;
    if (letters.length > 1) letters.forEach(await broker.checker({ timeoutMs }));
    if (options.async) return await this.#startInTurn(broker, letters, deadlineMs);
    return letters.map((letter) => this.send(broker, letter, timeoutMs));
  }

  /** Nobody waits for these, so they wait for one another where too many are under way. */
  async #startInTurn(broker: Broker, letters: readonly OutgoingMessage[], deadlineMs: number): Promise<Sending[]> {
    const bytes = letters.reduce((sum, { data }) => sum + data.length, 0);
    const room = this.room.take(bytes);
    if (room !== undefined) await room;
    const leftMs = deadlineMs - Date.now();
    if (leftMs < 1) {
      this.room.free(bytes);
      throw new MemphisError('TIMEOUT', 'There was no time left for this message; it was not sent.');
    }
    const sendings = letters.map((letter) => this.send(broker, letter, leftMs));
    void Promise.allSettled(sendings.map(({ stored }) => stored)).then(() => this.room.free(bytes));
    return sendings;
  }

  /** Sends, and gives failures to whoever takes them. What fails before it is written is thrown. */
  async #begin(message: unknown, given: ProduceOptions) {
    const sendings = await this.#start(message, { ...given, async: true });
    const reached = await Promise.all(sendings.map((sending) => sending.written));
    if (reached.includes(false)) await all(sendings);
    const onError = given.onError ?? this.#onError;
    return {
      written: sendings.map(({ letter: { station, partition } }): Written => ({ station, partition })),
      ends: sendings.map(({ letter, stored }) => ({
        station: letter.station,
        ended: stored.then(
          () => {},
          (error: unknown) => {
            const failed = { ...letter, message: isBytes(message) ? letter.data : message };
            return handFailure(toMemphisError(error, letter.station), failed, this.name, onError);
          },
        ),
      })),
    };
  }

  /** Many messages at once, under way until all have ended. */
  run<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const running = work(this.#session);
    this.#outbox.track(running);
    return running;
  }

  /** @throws MemphisError `CLOSED` */
  refuseClosed(): void {
    if (this.#isDestroyed) {
      throw new MemphisError('CLOSED', `Producer ${this.name} was destroyed; create a new one. Nothing was sent.`);
    }
    if (this.#outboxes.isClosed) {
      throw new MemphisError('CLOSED', 'This client was closed; connect again. Nothing was sent.');
    }
  }

  /** The partitions of each station. @throws MemphisError `STATION_NOT_FOUND` */
  async layout(broker: Broker, patienceMs?: number): Promise<ReadonlyMap<string, readonly number[]>> {
    const layout = new Map<string, readonly number[]>();
    const options = patienceMs === undefined ? {} : { patienceMs };
    for (const station of this.stations) layout.set(station, await broker.partitions(station, options));
    return layout;
  }

  /**
   * A first message leaves beside the look-up of its station. Not where the number of partitions decides on its own: a
   * repeat under its id or key must meet it; nor where nobody waits for the broker's word, which tells a guess that fails.
   */
  #guess(broker: Broker, draft: Draft): OutgoingMessage[] | undefined {
    const [station = '', ...more] = this.stations;
    const isFree = draft.msgId === undefined && draft.partitionKey === undefined && draft.partition === undefined;
    if (!isFree || more.length > 0 || !broker.mayGuess(station)) return undefined;
    // who has codecs means stations with schemas: those are to be known before anything leaves
    if (this.#schema !== undefined || registered() !== undefined || draft.data === undefined) return undefined;
    this.#nextOf(station, [1]); // it takes the first partition's turn
    return this.address(new Map([[station, [1]]]), draft).map((letter) => ({ ...letter, isGuess: true }));
  }

  /** Sends a guess. Where the station turns out to have a schema, nothing has checked it: it is taken back. */
  #sendGuess(
    broker: Broker,
    letter: OutgoingMessage,
    message: unknown,
    given: ProduceOptions | undefined,
    timeoutMs: number,
  ): Sending {
    const sending = this.send(broker, letter, timeoutMs);
    const stored = sending.stored.then(async (receipt) => {
      if ((await broker.schemaOf?.(letter.station)) === undefined) return receipt;
      await broker.takeBack?.(receipt, { timeoutMs });
      const [again] = await this.#start(message, given);
      return await (again as Sending).stored;
    });
    stored.catch(() => {}); // for whoever looks at it
    return { ...sending, stored };
  }

  /** How messages are written for those of the stations that have a schema. @throws MemphisError where it cannot be used */
  async encoders(broker: Broker, patienceMs?: number): Promise<ReadonlyMap<string, Encode>> {
    const encoders = new Map<string, Encode>();
    for (const station of this.stations) {
      const encode = await encoderFor(broker, station, this.#schema, patienceMs);
      if (encode !== undefined) encoders.set(station, encode);
    }
    return encoders;
  }

  /** A draft as a message for each station, as its schema has it. @throws MemphisError as `address`, `SCHEMA_VIOLATION` */
  async compose(
    layout: ReadonlyMap<string, readonly number[]>,
    draft: Draft,
    encoders: ReadonlyMap<string, Encode>,
    timeoutMs: number,
  ): Promise<OutgoingMessage[]> {
    if (encoders.size === 0) return this.address(layout, draft);
    const { data = new Uint8Array(), unwritable, message } = draft;
    const letters: OutgoingMessage[] = [];
    for (const letter of this.address(layout, { ...draft, data })) {
      const encode = encoders.get(letter.station);
      if (encode === undefined && unwritable !== undefined) throw unwritable;
      letters.push(encode === undefined ? letter : { ...letter, data: await encode(letter, message, timeoutMs) });
    }
    return letters;
  }

  /** A draft as a message for each station. @throws MemphisError `PARTITION_NOT_FOUND`, `INVALID_OPTION`, `INVALID_MESSAGE` */
  address(layout: ReadonlyMap<string, readonly number[]>, draft: Draft): OutgoingMessage[] {
    const { data, headers, msgId, partitionKey } = draft;
    if (data === undefined) throw draft.unwritable;
    const letters: OutgoingMessage[] = [];
    for (const [station, partitions] of layout) {
      letters.push({
        station,
        data,
        headers: headers ?? {},
        producerName: this.name,
        partition: choosePartition(station, partitions, draft) ?? this.#nextOf(station, partitions),
        ...(msgId === undefined ? {} : { msgId }),
        ...(partitionKey === undefined ? {} : { partitionKey }),
      });
    }
    return letters;
  }

  /** Writes one message. Its failure is for whoever looks at `stored`. */
  send(broker: Broker, letter: OutgoingMessage, timeoutMs: number): Sending {
    const written = Promise.withResolvers<boolean>();
    const stored = broker.publish(letter, { timeoutMs, onWritten: () => written.resolve(true) });
    const end = (): void => written.resolve(false);
    stored.then(end, end);
    return { letter, written: written.promise, stored };
  }

  /** Waits for what is under way. @throws MemphisError `NOT_ALL_STORED` with what nobody has taken */
  async flush(): Promise<void> {
    await drain([this.#outbox]);
  }

  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    try {
      await this.flush();
    } finally {
      const broker = this.#session.isConnected() ? await this.#session.broker() : undefined;
      for (const station of this.stations) await broker?.endProducer?.(station, this.name);
    }
  }

  #nextOf(station: string, partitions: readonly number[]): number {
    const turn = this.#turns.get(station) ?? 0;
    this.#turns.set(station, turn + 1);
    return partitions[turn % partitions.length] ?? 1;
  }
}
