/** Requests of the stand-in to the JetStream behind it. */

import type { Json } from '../../../src/brokers/jetstream/wire/api.ts';
import type { Connection } from '../../../src/connection/port.ts';

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const decodeJson = (data: Uint8Array): Json => JSON.parse(new TextDecoder().decode(data));

/** @param subject behind `$JS.API.` */
export async function askApi(nats: Connection, subject: string, body?: Json): Promise<Json> {
  const data = encode(body === undefined ? '' : JSON.stringify(body));
  return decodeJson((await nats.request(`$JS.API.${subject}`, data, { timeoutMs: 5_000 })).data);
}
