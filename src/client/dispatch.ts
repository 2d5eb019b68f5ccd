/** How producers send: check all, address, send, and know what is under way. To one station or to several. */

import { publisherOf } from '../brokers/publisher.ts';
import type { Broker, OutgoingMessage } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import type { Given, Resolved } from '../model/option-spec.ts';
import { type OnProduceError, produceOptions, type producerOptions } from '../model/options/produce.ts';
import type { Receipt, Written } from '../model/receipt.ts';
import { checkOptions } from '../model/resolve-options.ts';
import { checkName } from '../model/station.ts';
import { Addressing } from './addressing.ts';
import { type Draft, toDraft } from './draft.ts';
import { handFailure } from './hand-failure.ts';
import { drain, Outbox, type Outboxes } from './outbox.ts';
import { isBytes } from './payload.ts';
import { Room } from './room.ts';
import { all, type Sending, toMemphisError } from './sending.ts';
import type { Session } from './session.ts';
import { uniqueName } from './unique-name.ts';

/** Options of one produce. */
export interface ProduceOptions extends Given<typeof produceOptions> {}
/** A message that nobody waits for until it is stored. */
interface WatchedSending extends Sending {
  /** Whether it was written; false when it failed before. Never rejects. */
  readonly written: Promise<boolean>;
}

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
  readonly addressing: Addressing;
  readonly #session: Session;
  readonly #onError: OnProduceError | undefined;
  readonly #outboxes: Outboxes;
  readonly #outbox: Outbox;
  /** Messages that have not left: later ones do not overtake them. */
  #looking = 0;
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
    this.addressing = new Addressing(this.stations, this.name, options.schema);
    this.#onError = options.onError;
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
    try {
      return this.store(message, checkOptions('produce', produceOptions, given), undefined, pick);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * One message to each station, under way until it is stored in all.
   *
   * @param options checked
   * @param limitMs in place of any `ackWaitMs`
   * @throws MemphisError what can be said at once
   */
  store<R>(
    message: unknown,
    options: ProduceOptions,
    limitMs: number | undefined,
    pick: (receipts: readonly Receipt[]) => R,
  ): Promise<R> {
    this.refuseClosed();
    const draft = toDraft('produce', message, options);
    const timeoutMs = limitMs ?? options.ackWaitMs ?? this.ackWaitMs;
    const broker = this.#session.current;
    const letter = broker && this.#looking === 0 ? this.addressing.plain(broker, draft) : undefined;
    // where everything is known, it leaves at once: nothing is awaited before
    return letter !== undefined && broker !== undefined
      ? this.#track(publisherOf(broker).publish(letter, { timeoutMs }), (receipt) => pick([receipt]))
      : this.#track(this.#lookAndStore(draft, timeoutMs), pick);
  }

  #track<T, R>(stored: Promise<T>, pick: (stored: T) => R): Promise<R> {
    const stretch = this.#outbox.begin();
    return stored.then(
      (result) => {
        this.#outbox.end(stretch);
        return pick(result);
      },
      (error) => {
        this.#outbox.end(stretch);
        throw error;
      },
    );
  }

  /** To stations of which something is to be asked first, or beside the message. */
  async #lookAndStore(draft: Draft, timeoutMs: number): Promise<readonly Receipt[]> {
    const sendings: Sending[] = [];
    this.#looking++;
    try {
      const broker = await this.#session.broker();
      const guess = this.addressing.guess(broker, draft);
      if (guess !== undefined) return [await this.#storeGuess(broker, guess, draft, timeoutMs)];
      for (const letter of await this.addressing.lookAndCompose(broker, draft, timeoutMs)) {
        sendings.push({ letter, stored: publisherOf(broker).publish(letter, { timeoutMs }) });
      }
    } finally {
      this.#looking--;
    }
    return await all(sendings);
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

  /** Sends, and gives failures to whoever takes them. What fails before it is written is thrown. */
  async #begin(message: unknown, given: ProduceOptions) {
    const sendings = await this.#startInTurn(message, given);
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

  /** Nobody waits for these, so they wait for one another where too many are under way. */
  async #startInTurn(message: unknown, given: ProduceOptions): Promise<WatchedSending[]> {
    this.refuseClosed();
    const options = checkOptions('produce', produceOptions, given);
    const draft = toDraft('produce', message, options);
    const timeoutMs = options.ackWaitMs ?? this.ackWaitMs;
    const deadlineMs = Date.now() + timeoutMs;
    const broker = await this.#session.broker();
    const composed = await this.addressing.lookAndCompose(broker, draft, timeoutMs);
    // after its promise has resolved, the caller may write to that memory again
    const letters = isBytes(message) ? composed.map((one) => ({ ...one, data: one.data.slice() })) : composed;
    const bytes = letters.reduce((sum, { data }) => sum + data.length, 0);
    const room = this.room.take(bytes);
    if (room !== undefined) await room;
    const leftMs = deadlineMs - Date.now();
    if (leftMs < 1) {
      this.room.free(bytes);
      throw new MemphisError('TIMEOUT', 'No time was left for it; it was not sent.');
    }
    const sendings = letters.map((letter) => send(broker, letter, leftMs));
    void Promise.allSettled(sendings.map(({ stored }) => stored)).then(() => this.room.free(bytes));
    return sendings;
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

  /** Where the station turns out to have a schema, nothing has checked it: it is taken back. */
  async #storeGuess(broker: Broker, letter: OutgoingMessage, draft: Draft, timeoutMs: number): Promise<Receipt> {
    const publisher = publisherOf(broker);
    const receipt = await publisher.publish(letter, { timeoutMs });
    let failure: { readonly error: unknown } | undefined;
    try {
      if ((await broker.schemaOf?.(letter.station)) === undefined) return receipt;
    } catch (error) {
      failure = { error }; // whether it may be there nobody can tell, and the caller will hear that it is not
    }
    await publisher.takeBack?.(receipt, { timeoutMs });
    if (failure !== undefined) throw failure.error;
    const [again] = await this.addressing.lookAndCompose(broker, draft, timeoutMs);
    return await publisher.publish(again as OutgoingMessage, { timeoutMs });
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
      const publisher = this.#session.isConnected() ? publisherOf(await this.#session.broker()) : undefined;
      for (const station of this.stations) await publisher?.endProducer?.(station, this.name);
    }
  }
}

/** Writes one message. Its failure is for whoever looks at `stored`. */
function send(broker: Broker, letter: OutgoingMessage, timeoutMs: number): WatchedSending {
  const written = Promise.withResolvers<boolean>();
  const stored = publisherOf(broker).publish(letter, { timeoutMs, onWritten: () => written.resolve(true) });
  const end = (): void => written.resolve(false);
  stored.then(end, end);
  return { letter, written: written.promise, stored };
}
