/** Headers that users send: which names are taken, and what the protocol can carry. Pure. */

import { MemphisError } from './errors.ts';

/** Names that belong to toolkit and server. */
export function isReserved(name: string): boolean {
  return name.startsWith('$memphis') || /^nats-/i.test(name);
}

/**
 * Checks one header that a user wants to send.
 *
 * @throws MemphisError `INVALID_MESSAGE`; names the header, never its value
 */
export function checkHeader(name: string, value: string): void {
  if (isReserved(name)) refuse(name, 'has a reserved name ($memphis... and Nats-... are taken)');
  // visible ASCII but the colon that ends a name
  if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name)) refuse(name, 'has a name with characters that headers cannot carry');
  if (/[\r\n\0]/.test(value)) refuse(name, 'has a value with a line break or NUL');
}

function refuse(name: string, why: string): never {
  throw new MemphisError('INVALID_MESSAGE', `The header ${JSON.stringify(name.slice(0, 100))} ${why}.`);
}
