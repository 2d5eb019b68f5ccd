/** What CONNECT says to a Memphis broker: names in its form (memphis-wire 1.3 to 1.5). */

import type { ClientIdentity, Credentials } from './port.ts';

/** At most 12: so many a random number has for certain, but for zeros at its end. */
function hex(digits: number): string {
  return Math.random()
    .toString(16)
    .slice(2, 2 + digits)
    .padEnd(digits, '0');
}

/** Text in the form of a UUID of version 4. Nothing secret: the broker tells it to everybody. */
export function randomId(): string {
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}

/**
 * Who a session is for a Memphis broker. Users are compared in lower case; in token mode, and without authentication, the
 * name is all that there is, and `root` is always there.
 */
export function toIdentity(credentials: Credentials | undefined): ClientIdentity {
  const given = credentials !== undefined && 'username' in credentials ? credentials.username : undefined;
  const [username = ''] = (given ?? 'root').toLowerCase().split('$', 1);
  return { connectionId: randomId(), username };
}

/** Fields of CONNECT that a Memphis broker wants otherwise than a NATS server. */
export function memphisConnect(
  { connectionId, username }: ClientIdentity,
  credentials: Credentials | undefined,
  accountId = 1,
): { readonly name: string; readonly user?: string } {
  return {
    name: `${connectionId}::${username}`,
    ...(credentials?.kind === 'password' ? { user: `${username}$${accountId}` } : {}),
  };
}
