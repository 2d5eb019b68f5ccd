/** The CONNECT line: who connects, and what proves it. */

import { memphisConnect } from '../memphis-connect.ts';
import type { ClientIdentity, Credentials, DialOptions } from '../port.ts';
import type { Info } from '../server-info.ts';
import { publicKey, sign } from './sign.ts';

function prove(credentials: Credentials, nonce: string): Readonly<Record<string, string>> {
  if (credentials.kind === 'password') return { user: credentials.username, pass: credentials.password };
  if (credentials.kind === 'token') return { auth_token: credentials.token };
  const sig = sign(credentials.seed, nonce);
  return credentials.kind === 'jwt' ? { jwt: credentials.jwt, sig } : { nkey: publicKey(credentials.seed), sig };
}

/** Asked only for a Memphis broker. */
type Who = { readonly identity: ClientIdentity };

/** @param info absent where CONNECT leaves before it */
export function connectText(options: DialOptions, wire: Who, info: Info | undefined): string {
  const { name, credentials, isMemphis, accountId } = options;
  return `CONNECT ${JSON.stringify({
    verbose: false,
    pedantic: false,
    protocol: 1,
    headers: true,
    no_responders: true,
    lang: 'nodejs',
    version: '0.1',
    name,
    ...(credentials && prove(credentials, info?.nonce ?? '')),
    ...((isMemphis || (info && 'connection_id' in info)) && memphisConnect(wire.identity, credentials, accountId)),
  })}\r\n`;
}
