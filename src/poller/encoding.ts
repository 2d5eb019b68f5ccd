/** How messages travel to the function of a mapping, and what they weigh there. */

import { emptyEventSize, encodedSize, toEvent } from '../envelope/event.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Mapping } from './mapping.ts';
import { INVOKE_LIMIT_BYTES } from './pack.ts';

/** The event format of a mapping. */
export interface Encoding {
  readonly limitBytes: number;
  /** Bytes of an event without messages. */
  readonly envelopeBytes: number;
  /** Bytes that a message adds, its comma included. */
  sizeOf(message: StoredMessage): number;
  encode(messages: readonly StoredMessage[]): Uint8Array;
}

export function makeEncoding({ name, station, group }: Mapping): Encoding {
  const source = { mapping: name, station, group };
  return {
    limitBytes: INVOKE_LIMIT_BYTES,
    envelopeBytes: emptyEventSize(source),
    sizeOf: (message) => encodedSize(message) + 1,
    encode: (messages) => new TextEncoder().encode(JSON.stringify(toEvent(source, messages))),
  };
}
