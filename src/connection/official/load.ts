/** Loads the official client on first use: importing this package must cost nothing. */

import type * as transport from '@nats-io/transport-node';

export type Nats = Pick<typeof transport, 'connect' | 'headers' | 'jwtAuthenticator' | 'nkeyAuthenticator' | 'nkeys'>;

/** The official client's functions that we use. */
export async function loadNats(): Promise<Nats> {
  return await import('@nats-io/transport-node');
}
