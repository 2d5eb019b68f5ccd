/** The bytes of what was refused, for the station's dead letters. */

import { writeUtf8 } from './utf8.ts';

/** Bytes and text as they are, objects as JSON with exact numbers; nothing where none of this can be had. Never throws. */
export function report(message: unknown): Uint8Array | undefined {
  try {
    if (typeof message === 'string') return writeUtf8(message);
    if (message instanceof ArrayBuffer) return new Uint8Array(message.slice(0));
    if (ArrayBuffer.isView(message)) {
      return new Uint8Array(message.buffer, message.byteOffset, message.byteLength).slice();
    }
    const json = JSON.stringify(message, (_, value: unknown) => {
      if (typeof value === 'bigint') return String(value);
      return value instanceof Map ? Object.fromEntries(value) : value;
    });
    return json === undefined ? undefined : writeUtf8(json);
  } catch {
    return undefined;
  }
}
