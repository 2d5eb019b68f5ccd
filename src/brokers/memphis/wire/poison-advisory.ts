/**
 * Setting a message aside, by the very notice that the broker gives itself when deliveries are used up (memphis-wire 11.5).
 * A stream of the broker keeps it, so its answer means: stored, and handled in any case. Every release from 1.2.0 on reads it.
 */

import type { HeaderList } from '../../../connection/port.ts';
import { encodeJson } from '../../jetstream/wire/api.ts';

/** The stream of the broker that these are kept in. */
export const ADVISORIES = '$memphis_dls_unacked';

export function advisorySubject(stream: string, durable: string): string {
  return `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${stream}.${durable}`;
}

export interface PoisonAdvisory {
  readonly stream: string;
  readonly durable: string;
  readonly sequence: number;
  readonly deliveries: number;
  /** Left out: the broker reads the message out of its stream, where it has to be still. */
  readonly message?: { readonly headers: HeaderList; readonly data: Uint8Array };
  readonly timestampMs: number;
}

/** A block of headers as messages have it, one header at least: without any the broker would fall over (11.1). */
export function headerBlock(headers: HeaderList): Uint8Array {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`NATS/1.0\r\n${lines.join('')}\r\n`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/*
 * { stream, consumer, stream_seq, deliveries, headers: base64, data: base64, time_sent (ns) }
 * Without `account`, which the broker fills in: it is another one where users have no passwords.
 * `headers` and `data` only together.
 */
export function poisonAdvisory(of: PoisonAdvisory): Uint8Array {
  return encodeJson({
    stream: of.stream,
    consumer: of.durable,
    stream_seq: of.sequence,
    deliveries: of.deliveries,
    ...(of.message === undefined
      ? {}
      : { headers: base64(headerBlock(of.message.headers)), data: base64(of.message.data) }),
    time_sent: of.timestampMs * 1_000_000,
  });
}
