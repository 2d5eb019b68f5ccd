/** The handle that users hold on a stored message. Decodes on demand; what settles it is handed in. */

import { Buffer, isUtf8 } from 'node:buffer';
import { MemphisError } from '../model/errors.ts';
import { type Message, parseJson, type StoredMessage } from '../model/message.ts';
import { checkDelay, type Outcome, toReason } from '../model/outcome.ts';

/** What a handle does when one of its settle methods is called. */
export interface MessageActions {
  /** Takes the decision and settles at once; see `ledger.ts` for what a second decision means. */
  decide(outcome: Outcome): Promise<void>;
  /** Starts the time to settle anew. */
  extend(): Promise<void>;
  /** The decision taken so far. */
  decided(): Outcome | undefined;
  /** The value by a schema; nothing where there is none. */
  decoded(): { readonly value: unknown } | undefined;
}

// Reaches across copies of this package: `each` of one copy may run in the pipeline of another.
const decidedKey: unique symbol = Symbol.for('memphis-serverless.decided') as never;

/** Makes the handle of one message. */
export function makeMessage<T>(stored: StoredMessage, actions: MessageActions): Message<T> {
  const bytes = Buffer.from(stored.data.buffer, stored.data.byteOffset, stored.data.byteLength);
  let decoded: { readonly value: unknown } | undefined;
  const message: Message<T> = {
    ...stored,
    text: () => bytes.toString('utf8'),
    json: <J = T>() => parseJson(bytes.toString('utf8'), `Message ${stored.id}`) as J,
    value: () => {
      decoded ??= actions.decoded() ?? { value: decode(stored.data, bytes) };
      return decoded.value as T;
    },
    ack: () => actions.decide({ action: 'ack' }),
    delay: (delayMs) => actions.decide(toRetry(stored, delayMs)),
    nack: () => actions.decide(toRetry(stored, 0)),
    deadLetter: (reason) => actions.decide({ action: 'deadLetter', reason: toReason(reason) }),
    inProgress: () => actions.extend(),
  };
  return Object.defineProperty(message, decidedKey, { value: actions.decided });
}

/** What the handler itself has decided about a message, if it has. */
export function decidedOutcome(message: Message): Outcome | undefined {
  const decided = (message as { readonly [decidedKey]?: () => Outcome | undefined })[decidedKey];
  return decided?.();
}

/** JSON where it parses, else text, else (no UTF-8) the bytes. */
function decode(data: Uint8Array, bytes: Buffer): unknown {
  if (!isUtf8(data)) return data;
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text; // Not JSON: a payload may be any text.
  }
}

// Thrown at once rather than as a rejection: a call that nobody awaits must not turn into an ack by the handler's return.
function toRetry(stored: StoredMessage, delayMs: number): Outcome {
  try {
    return { action: 'retry', delayMs: checkDelay(delayMs) };
  } catch (error) {
    const words = `Message ${stored.id}: ${(error as RangeError).message}.`;
    throw new MemphisError('INVALID_OPTION', words, { option: 'delayMs', station: stored.station });
  }
}
