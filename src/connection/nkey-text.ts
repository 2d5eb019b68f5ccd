/** Reads the texts of a `.creds` file and of an NKEY seed. Pure; errors show nothing of them. */

import { refuse } from './refuse.ts';

/** What a `.creds` file holds: who the user is, and the key that proves it. */
export interface Creds {
  readonly jwt: string;
  readonly seed: string;
}

/** Files hold a secret between lines of dashes, as `nsc` and `nk` write them. */
function between(text: string, label: string): string | undefined {
  return new RegExp(`-{3,} *BEGIN ${label} *-{3,}\\s*(\\S+)\\s*-{3,} *END ${label} *-{3,}`, 'i').exec(text)?.[1];
}

const USER_JWT = 'NATS USER JWT';
const USER_SEED = 'USER NKEY SEED';
const SEED = /^S[A-Z2-7]{57}$/;

/** Whether a value is a creds text, and not the path of a file with one. */
export function isCredsText(value: string): boolean {
  return value.includes('BEGIN');
}
/** Whether a value is a seed or a file's text around one, and not a path. */
export function isSeedText(value: string): boolean {
  return isCredsText(value) || SEED.test(value.trim());
}

/** @throws MemphisError `INVALID_OPTION` */
export function parseCreds(text: string): Creds {
  const find = (label: string): string =>
    between(text, label) ?? refuse('creds', `creds: the text holds no ${label} between its BEGIN and END lines`);
  const jwt = find(USER_JWT);
  const seed = find(USER_SEED);
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jwt)) refuse('creds', 'creds: the JWT in it is damaged');
  return { jwt, seed: toUserSeed(seed, 'creds') };
}

/** @throws MemphisError `INVALID_OPTION` */
export function parseSeed(text: string): string {
  return toUserSeed(between(text, USER_SEED) ?? text.trim(), 'nkey');
}

function toUserSeed(seed: string, option: string): string {
  let why = '';
  if (!SEED.test(seed)) why = 'is damaged: it must be S and 57 letters or digits';
  else if (!seed.startsWith('SU')) why = 'must be that of a user, which begins with SU';
  else {
    const bytes = fromBase32(seed);
    // the last two bytes are the checksum of those before them, low byte first
    if (checksum(bytes.subarray(0, -2)) === bytes.readUInt16LE(34)) return seed;
    why = 'is damaged: its checksum does not fit';
  }
  return refuse(option, `${option}: the seed ${why}`);
}

/** The 32 bytes that a seed stands for: those between two of its kind and two of its checksum. */
export function decodeSeed(seed: string): Buffer {
  return fromBase32(seed).subarray(2, 34);
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const letter of text) {
    // A to Z are 0 to 25, then 2 to 7
    held = ((held << 5) | (letter < 'A' ? Number(letter) + 24 : letter.charCodeAt(0) - 65)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 255);
  }
  return Buffer.from(bytes);
}

/** CRC-16 as NKEYs have it (polynomial 0x1021). */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) sum = ((sum << 1) ^ (sum & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return sum;
}
