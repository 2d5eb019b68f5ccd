/** Many messages at once: all checked first, then written as fast as there is room, a result for each, in order. */

import type { Broker, OutgoingMessage } from '../model/broker.ts';
import { isMemphisError, MemphisError } from '../model/errors.ts';
import { isList } from '../model/fields.ts';
import type { Given } from '../model/option-spec.ts';
import { produceBatchOptions } from '../model/options/produce.ts';
import type { Receipt } from '../model/receipt.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import type { Dispatch } from './dispatch.ts';
import { atIndex, type Draft, type MessageOptions, readMessageOptions, toDraft } from './draft.ts';
import type { Payload } from './payload.ts';
import { all, type Sending, toMemphisError } from './sending.ts';
import type { Session } from './session.ts';

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
 * @param deadlineMs wall-clock time after which nothing more is sent
 * @returns when all have ended; receipts in the order of the stations
 * @throws MemphisError with `index` when a message cannot be sent: nothing was sent then; what connecting throws
 */
export function sendBatch<M extends Payload>(
  dispatch: Dispatch,
  messages: readonly M[],
  given: ProduceBatchOptions<M> | undefined,
  deadlineMs: number = Number.POSITIVE_INFINITY,
): Promise<ProduceResult<readonly Receipt[]>[]> {
  return dispatch.run((session) => sendAll(dispatch, session, messages, given, deadlineMs));
}

async function sendAll<M extends Payload>(
  dispatch: Dispatch,
  session: Session,
  messages: readonly M[],
  given: ProduceBatchOptions<M> | undefined,
  deadlineMs: number,
): Promise<ProduceResult<readonly Receipt[]>[]> {
  dispatch.refuseClosed();
  const { ackWaitMs } = resolveOptions('produceBatch', produceBatchOptions, given);
  const timeoutMs = ackWaitMs ?? dispatch.ackWaitMs;
  const drafts = draftAll(messages, given?.optionsFor);
  if (drafts.length === 0) return [];
  const broker = await session.broker();
  const checked = await addressAll(dispatch, broker, drafts, timeoutMs);
  const sender = new Sender(dispatch, broker, timeoutMs, deadlineMs);
  const ends: Promise<ProduceResult<readonly Receipt[]>>[] = [];
  for (const [index, copies] of checked.entries()) {
    const sendings: Sending[] = [];
    for (const copy of copies) {
      // no needless await: what is sent in one tick leaves in one write
      const room = dispatch.room.take(copy.bytes);
      if (room !== undefined) await room;
      sendings.push(sender.send(copy));
    }
    checked[index] = []; // once stored, its bytes may go
    ends.push(
      all(sendings).then(
        (receipt) => ({ ok: true, receipt }),
        (error: unknown) => ({ ok: false, error: toMemphisError(error, dispatch.stations[0] ?? '') }),
      ),
    );
  }
  return await Promise.all(ends);
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
      const options = readMessageOptions('produceBatch', () => optionsFor?.(message, index));
      return toDraft('produceBatch', message, options);
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
  const layout = await dispatch.layout(broker, timeoutMs);
  const sizeOf = await broker.checker({ timeoutMs });
  const encoders = await dispatch.encoders(broker, timeoutMs);
  const check = (letters: readonly OutgoingMessage[]): readonly Checked[] =>
    letters.map((letter) => ({ letter, bytes: sizeOf(letter) }));
  // taken out of the caller's hands, so that nothing keeps the bytes of what is stored
  const taken = drafts.splice(0);
  if (encoders.size === 0) {
    return taken.map((draft, index) => atIndex(index, () => check(dispatch.address(layout, draft))));
  }
  const checked: (readonly Checked[])[] = [];
  for (const [index, draft] of taken.entries()) {
    const letters = await dispatch.compose(layout, draft, encoders, timeoutMs).then(
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
class Sender {
  readonly #dispatch: Dispatch;
  readonly #broker: Broker;
  readonly #timeoutMs: number;
  readonly #deadlineMs: number;
  /** Partitions that nothing was confirmed by for as long as a message may take: the rest of a batch is not held up. */
  readonly #silent = new Map<string, MemphisError>();

  constructor(dispatch: Dispatch, broker: Broker, timeoutMs: number, deadlineMs: number) {
    this.#dispatch = dispatch;
    this.#broker = broker;
    this.#timeoutMs = timeoutMs;
    this.#deadlineMs = deadlineMs;
  }

  /** Sends what has room, and gives the room back when it has ended. */
  send({ letter, bytes }: Checked): Sending {
    const { room } = this.#dispatch;
    const leftMs = Math.min(this.#timeoutMs, this.#deadlineMs - Date.now());
    const sending = this.#refusal(letter, leftMs) ?? this.#dispatch.send(this.#broker, letter, leftMs);
    sending.stored.then(
      () => room.free(bytes),
      (error: unknown) => {
        room.free(bytes);
        if (isMemphisError(error) && isSilence.has(error.code)) this.#silent.set(toLane(letter), error);
      },
    );
    return sending;
  }

  /** Why a message is not sent any more. */
  #refusal(letter: OutgoingMessage, leftMs: number): Sending | undefined {
    try {
      this.#dispatch.refuseClosed();
      const silence = this.#silent.get(toLane(letter));
      if (silence !== undefined) throw notSent(letter, silence);
      if (leftMs < 1) throw notSent(letter, new MemphisError('TIMEOUT', 'No time was left for it.'));
      return undefined;
    } catch (error) {
      return { letter, written: Promise.resolve(false), stored: Promise.reject(error) };
    }
  }
}

const toLane = ({ station, partition }: OutgoingMessage): string => `${station} ${partition}`;

/** Failures that took their time and that the next message would meet as well. */
const isSilence: ReadonlySet<string> = new Set([
  'TIMEOUT',
  'CONNECTION_LOST',
  'CONNECT_FAILED',
  'JETSTREAM_UNAVAILABLE',
]);

const notSent = ({ station }: OutgoingMessage, why: MemphisError): MemphisError =>
  new MemphisError(why.code, `This message of the batch was not sent: ${why.message}`, {
    station,
    retryable: why.retryable,
    cause: why,
  });
