/** The handle that users hold on a stored message. Decodes on demand; what settles it is handed in. */

import { isUtf8 } from '../envelope/utf8.ts';
import { MemphisError } from '../model/errors.ts';
import { FIELDS, type Headers, type Message, parseJson, type StoredMessage } from '../model/message.ts';
import { checkDelay, type Outcome, toReason } from '../model/outcome.ts';

/** What handles of a batch do when one of their settle methods is called; `index` says whose. */
export interface MessageActions {
  /** Takes the decision and settles at once; see `ledger.ts` for what a second decision means. */
  decide(index: number, outcome: Outcome): Promise<void>;
  /** Starts the time to settle anew. */
  extendAt(index: number): Promise<void>;
  /** The decision taken so far. */
  outcomeAt(index: number): Outcome | undefined;
  /** Its signal aborts with the time for work of the batch; nothing before a handler has it. */
  readonly deadline: { readonly signal: AbortSignal } | undefined;
  /** The value by a schema; nothing where there is none. */
  decodedAt(index: number): { readonly value: unknown } | undefined;
}

// Reaches across copies of this package: `each` of one copy may run in the pipeline of another.
const decidedKey: unique symbol = Symbol.for('memphis-serverless.decided') as never;
const signalKey: unique symbol = Symbol.for('memphis-serverless.signal') as never;

/** One class for all handles: a closure for each method of each message would cost more than reading it off the wire. */
class MessageHandle<T> implements Message<T> {
  declare readonly id: string;
  declare readonly station: string;
  declare readonly partition: number;
  declare readonly sequence: number;
  declare readonly deliveryCount: number;
  declare readonly timestamp: Date;
  declare readonly headers: Headers;
  declare readonly partitionKey?: string;
  declare readonly data: Uint8Array;
  readonly #stored: StoredMessage;
  readonly #actions: MessageActions;
  readonly #index: number;
  #decoded: { readonly value: unknown } | undefined;

  constructor(stored: StoredMessage, actions: MessageActions, index: number) {
    this.#stored = stored;
    this.#actions = actions;
    this.#index = index;
  }

  /** Its fields as a plain object: for JSON, logs, and whoever wants a copy. */
  toJSON(): StoredMessage {
    const fields: Record<string, unknown> = {};
    for (const field of FIELDS) if (this[field] !== undefined) fields[field] = this[field];
    return fields as unknown as StoredMessage;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): StoredMessage {
    return this.toJSON();
  }

  static {
    for (const field of FIELDS) {
      Object.defineProperty(MessageHandle.prototype, field, {
        get(this: MessageHandle<unknown>) {
          return this.#stored[field];
        },
      });
    }
  }

  text(): string {
    const { buffer, byteOffset, byteLength } = this.data;
    return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
  }

  json<J = T>(): J {
    return parseJson(this.text(), `Message ${this.id}`) as J;
  }

  value(): T {
    this.#decoded ??= this.#actions.decodedAt(this.#index) ?? { value: this.#decode() };
    return this.#decoded.value as T;
  }

  /** JSON where it parses, else text, else (no UTF-8) the bytes. */
  #decode(): unknown {
    if (!isUtf8(this.data)) return this.data;
    const text = this.text();
    try {
      return JSON.parse(text);
    } catch {
      return text; // Not JSON: a payload may be any text.
    }
  }

  ack(): Promise<void> {
    return this.#actions.decide(this.#index, { action: 'ack' });
  }

  delay(delayMs: number): Promise<void> {
    return this.#actions.decide(this.#index, toRetry(this, delayMs));
  }

  nack(): Promise<void> {
    return this.#actions.decide(this.#index, toRetry(this, 0));
  }

  deadLetter(reason: string): Promise<void> {
    return this.#actions.decide(this.#index, { action: 'deadLetter', reason: toReason(reason) });
  }

  inProgress(): Promise<void> {
    return this.#actions.extendAt(this.#index);
  }

  get [signalKey](): AbortSignal | undefined {
    return this.#actions.deadline?.signal;
  }

  [decidedKey](): Outcome | undefined {
    return this.#actions.outcomeAt(this.#index);
  }
}

/** Makes the handles of a batch. */
export function makeMessages<T>(all: readonly StoredMessage[], actions: MessageActions): Message<T>[] {
  const messages: Message<T>[] = [];
  for (const stored of all) messages.push(new MessageHandle<T>(stored, actions, messages.length));
  return messages;
}

/** What the handler itself has decided about a message, if it has. */
export function decidedOutcome(message: Message): Outcome | undefined {
  return (message as { [decidedKey]?(): Outcome | undefined })[decidedKey]?.();
}

/** Aborts with the time for work of the batch that a message is of, and with what the caller gave, if anything. */
export function stopSignal([message]: readonly Message[], given: AbortSignal | undefined): AbortSignal {
  const own =
    (message as { [signalKey]?: AbortSignal } | undefined)?.[signalKey] ?? given ?? new AbortController().signal;
  return given === undefined || own === given ? own : AbortSignal.any([own, given]);
}

// Thrown at once rather than as a rejection: a call that nobody awaits must not turn into an ack by the handler's return.
function toRetry({ id, station }: StoredMessage, delayMs: number): Outcome {
  try {
    return { action: 'retry', delayMs: checkDelay(delayMs) };
  } catch (error) {
    const words = `Message ${id}: ${(error as RangeError).message}.`;
    throw new MemphisError('INVALID_OPTION', words, { option: 'delayMs', station });
  }
}
