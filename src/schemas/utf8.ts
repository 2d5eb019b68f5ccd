/**
 * Text and its bytes. Decoders are made when something is doubtful, encoders when something is written: making one takes a
 * cold start as long as reading a small message.
 */

let strict: InstanceType<typeof TextDecoder> | undefined;
let encoder: InstanceType<typeof TextEncoder> | undefined;

/** @throws TypeError for what is not UTF-8 */
export function readUtf8(bytes: Uint8Array, from = 0, to = bytes.length): string {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8', from, to);
  if (!text.includes('\ufffd')) return text;
  // it says so itself, or stands for what is none
  strict ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return strict.decode(bytes.subarray(from, to));
}

export function writeUtf8(text: string): Uint8Array {
  encoder ??= new TextEncoder();
  return encoder.encode(text);
}
