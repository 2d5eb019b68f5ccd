/** The CONNECT line: who connects, and what proves it. */

import { memphisConnect } from '../memphis-connect.ts';
import type { ClientIdentity, DialOptions } from '../port.ts';
import type { Info } from './info.ts';
import { publicKey, sign } from './sign.ts';

function toProof({ credentials }: DialOptions, nonce: string): Readonly<Record<string, string>> {
  switch (credentials?.kind) {
    case undefined:
      return {};
    case 'password':
      return { user: credentials.username, pass: credentials.password };
    case 'token':
      return { auth_token: credentials.token };
    case 'nkey':
      return { nkey: publicKey(credentials.seed), sig: sign(credentials.seed, nonce) };
    case 'jwt':
      return { jwt: credentials.jwt, sig: sign(credentials.seed, nonce) };
  }
}

/** @param info absent where CONNECT leaves before it */
export function connectText(options: DialOptions, identity: ClientIdentity, info: Info | undefined): string {
  const isMemphis = options.isMemphis === true || (info !== undefined && 'connection_id' in info);
  return `CONNECT ${JSON.stringify({
    verbose: false,
    pedantic: false,
    protocol: 1,
    headers: true,
    no_responders: true,
    lang: 'nodejs',
    version: '0.1',
    name: options.name,
    ...toProof(options, info?.nonce ?? ''),
    ...(isMemphis ? memphisConnect(identity, options.credentials, options.accountId) : {}),
  })}\r\n`;
}
