/** Proves an NKEY: Ed25519 by `node:crypto`, which is loaded only when something has to be signed. */

import { checksum, decodeSeed } from '../nkey-text.ts';

type Key = import('node:crypto').KeyObject;

function crypto() {
  return process.getBuiltinModule('node:crypto');
}
/** What stands before the 32 bytes of a private Ed25519 key in PKCS #8 (RFC 8410, 7). */
const PKCS8 = '302e020100300506032b657004220420';
/** The kind of key "user", as its first letter U shows. */
const USER = 20 << 3;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function toKey(seed: string): Key {
  return crypto().createPrivateKey({
    key: Buffer.concat([Buffer.from(PKCS8, 'hex'), decodeSeed(seed)]),
    format: 'der',
    type: 'pkcs8',
  });
}

/** The signature of a text, as CONNECT has it. */
export function sign(seed: string, text: string): string {
  return crypto().sign(null, Buffer.from(text), toKey(seed)).toString('base64url');
}

/** The public half: 56 letters that begin with U. */
export function publicKey(seed: string): string {
  const key = crypto().createPublicKey(toKey(seed)).export({ format: 'der', type: 'spki' }).subarray(-32);
  const bytes = Buffer.concat([Buffer.of(USER), key]);
  const sum = checksum(bytes);
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of [...bytes, sum & 255, sum >> 8]) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += LETTERS[(held >> (bits - 5)) & 31];
  }
  return text;
}
