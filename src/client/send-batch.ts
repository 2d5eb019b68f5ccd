/** Many messages at once: all checked first, then written as fast as there is room, a result for each, in order. */

import { publisherOf } from '../brokers/publisher.ts';
import type { Broker, OutgoingMessage, Publisher } from '../model/broker.ts';
import { NO_LIMIT } from '../model/deadline.ts';
import { MemphisError } from '../model/errors.ts';
import { isList } from '../model/fields.ts';
import type { Given } from '../model/option-spec.ts';
import { produceBatchOptions } from '../model/options/produce.ts';
import type { Receipt } from '../model/receipt.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import type { Dispatch } from './dispatch.ts';
import { atIndex, type Draft, type MessageOptions, readMessageOptions, toDraft } from './draft.ts';
import type { Payload } from './payload.ts';
import { all, type Sending, toMemphisError } from './sending.ts';

/** Options of one batch. */
export interface ProduceBatchOptions<M extends Payload = Payload>
  extends Omit<Given<typeof produceBatchOptions>, 'optionsFor'> {
  /** Called once for each message, before anything is sent: what belongs to this one. */
  readonly optionsFor?: ((message: M, index: number) => MessageOptions) | undefined;
}

/** What became of one message of a batch. */
export type ProduceResult<R = Receipt> =
  | { readonly ok: true; readonly receipt: R }
  | { readonly ok: false; readonly error: MemphisError };

/**
 * Sends each message to each station of a dispatch.
 *
 * @param pick what a result has of its receipts, which are in the order of the stations
 * @param deadlineMs wall-clock time after which nothing more is sent
 * @returns when all have ended
 * @throws MemphisError with `index` when a message cannot be sent: nothing was sent then; what connecting throws
 */
export function sendBatch<M extends Payload, R>(
  dispatch: Dispatch,
  messages: readonly M[],
  given: ProduceBatchOptions<M> | undefined,
  pick: (receipts: readonly Receipt[]) => R,
  deadlineMs: number = NO_LIMIT,
): Promise<ProduceResult<R>[]> {
  return dispatch.run(async (session) => {
    dispatch.refuseClosed();
    const { ackWaitMs } = resolveOptions('produceBatch', produceBatchOptions, given);
    const timeoutMs = ackWaitMs ?? dispatch.ackWaitMs;
    const drafts = draftAll(messages, given?.optionsFor);
    if (drafts.length === 0) return [];
    const broker = await session.broker();
    const checked = await addressAll(dispatch, broker, drafts, timeoutMs);
    return await new Sender(dispatch, broker, timeoutMs, deadlineMs, pick).sendAll(checked);
  });
}

/** Before anything is awaited, so that what the caller does to its list later changes nothing. */
function draftAll<M extends Payload>(
  messages: readonly M[],
  optionsFor: ProduceBatchOptions<M>['optionsFor'],
): Draft[] {
  if (!isList(messages)) {
    throw new MemphisError('INVALID_MESSAGE', 'produceBatch: the messages must be a list. Nothing was sent.');
  }
  return Array.from(messages, (message: M, index) =>
    atIndex(index, () => {
      const options = optionsFor && readMessageOptions('produceBatch', () => optionsFor(message, index));
      return toDraft('produceBatch', message, options ?? {});
    }),
  );
}

/** A message with what it takes of the room. */
interface Checked {
  readonly letter: OutgoingMessage;
  readonly bytes: number;
}

async function addressAll(
  dispatch: Dispatch,
  broker: Broker,
  drafts: Draft[],
  timeoutMs: number,
): Promise<(readonly Checked[])[]> {
  const layout = await dispatch.addressing.layout(broker, timeoutMs);
  const sizeOf = await publisherOf(broker).checker({ timeoutMs });
  const encoders = await dispatch.addressing.encoders(broker, timeoutMs);
  const check = (letters: readonly OutgoingMessage[]): readonly Checked[] =>
    letters.map((letter) => ({ letter, bytes: sizeOf(letter) }));
  // taken out of the caller's hands, so that nothing keeps the bytes of what is stored
  const taken = drafts.splice(0);
  if (encoders.size === 0) {
    return taken.map((draft, index) => atIndex(index, () => check(dispatch.addressing.address(layout, draft))));
  }
  const checked: (readonly Checked[])[] = [];
  for (const [index, draft] of taken.entries()) {
    const letters = await dispatch.addressing.compose(layout, draft, encoders, timeoutMs).then(
      (composed) => () => composed,
      (error: unknown) => () => {
        throw error;
      },
    );
    checked.push(atIndex(index, () => check(letters())));
  }
  return checked;
}

/** Sends the messages of one batch, as long as there is a point in it. */
class Sender<R> {
  readonly #dispatch: Dispatch;
  readonly #publisher: Publisher;
  readonly #timeoutMs: number;
  readonly #deadlineMs: number;
  readonly #pick: (receipts: readonly Receipt[]) => R;
  /** Partitions that nothing was confirmed by for as long as a message may take: the rest of a batch is not held up. */
  readonly #silent = new Map<string, MemphisError>();
  readonly #end = Promise.withResolvers<void>();
  #results: ProduceResult<R>[] = [];
  /** Messages that have not ended. */
  #left = 0;

  constructor(
    dispatch: Dispatch,
    broker: Broker,
    timeoutMs: number,
    deadlineMs: number,
    pick: (receipts: readonly Receipt[]) => R,
  ) {
    this.#dispatch = dispatch;
    this.#publisher = publisherOf(broker);
    this.#timeoutMs = timeoutMs;
    this.#deadlineMs = deadlineMs;
    this.#pick = pick;
  }

  /** @param checked emptied on the way: what is stored need not be kept */
  async sendAll(checked: (readonly Checked[])[]): Promise<ProduceResult<R>[]> {
    this.#left = checked.length;
    this.#results = new Array(checked.length);
    const { room } = this.#dispatch;
    for (const [index, copies] of checked.entries()) {
      const sendings: Sending[] = [];
      for (const { letter, bytes } of copies) {
        // no needless await: what is sent in one tick leaves in one write
        const free = room.take(bytes);
        if (free !== undefined) await free;
        const stored = this.#publish(letter);
        // the next copy may wait for the room that this one has, and meanwhile nobody else looks at its failure
        if (copies.length > 1) this.#freeBehind(stored, bytes);
        sendings.push({ letter, stored });
      }
      checked[index] = [];
      this.#follow(index, sendings, copies.length === 1 ? copies[0]?.bytes : undefined);
    }
    await this.#end.promise;
    return this.#results;
  }

  #publish(letter: OutgoingMessage): Promise<Receipt> {
    const leftMs = Math.min(this.#timeoutMs, this.#deadlineMs - Date.now());
    const refusal = this.#refusal(letter, leftMs);
    return refusal === undefined ? this.#publisher.publish(letter, { timeoutMs: leftMs }) : Promise.reject(refusal);
  }

  #freeBehind(stored: Promise<Receipt>, bytes: number): void {
    const free = (): void => this.#dispatch.room.free(bytes);
    stored.then(free, free);
  }

  /** @param taken room that is to be given back at the end */
  #follow(index: number, sendings: readonly Sending[], taken: number | undefined): void {
    const [only, ...more] = sendings;
    const stored: Promise<Receipt | readonly Receipt[]> =
      only !== undefined && more.length === 0 ? only.stored : all(sendings);
    const over = (result: ProduceResult<R>): void => {
      if (taken !== undefined) this.#dispatch.room.free(taken);
      this.#results[index] = result;
      if (--this.#left === 0) this.#end.resolve();
    };
    stored.then(
      (receipt) => over({ ok: true, receipt: this.#pick(isList(receipt) ? receipt : [receipt]) }),
      (reason: unknown) => {
        const error = toMemphisError(reason, this.#dispatch.stations[0] ?? '');
        for (const { letter } of sendings) {
          const own = error.failures?.find(({ station }) => station === letter.station)?.error ?? error;
          if (isSilence.has(own.code)) this.#silent.set(toLane(letter), own);
        }
        over({ ok: false, error });
      },
    );
  }

  /** Why a message is not sent any more. */
  #refusal(letter: OutgoingMessage, leftMs: number): unknown {
    try {
      this.#dispatch.refuseClosed();
      const silence = this.#silent.size === 0 ? undefined : this.#silent.get(toLane(letter));
      if (silence !== undefined) throw notSent(letter, silence);
      if (leftMs < 1) throw notSent(letter, new MemphisError('TIMEOUT', 'No time was left for it.'));
      return undefined;
    } catch (error) {
      return error;
    }
  }
}

function toLane({ station, partition }: OutgoingMessage): string {
  return `${station} ${partition}`;
}

/** Failures that took their time and that the next message would meet as well. */
const isSilence: ReadonlySet<string> = new Set([
  'TIMEOUT',
  'CONNECTION_LOST',
  'CONNECT_FAILED',
  'JETSTREAM_UNAVAILABLE',
]);

function notSent({ station }: OutgoingMessage, why: MemphisError): MemphisError {
  return new MemphisError(why.code, `This message of the batch was not sent: ${why.message}`, {
    station,
    retryable: why.retryable,
    cause: why,
  });
}
