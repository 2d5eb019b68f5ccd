/** Ways to get into a broker: what its configuration says, and what whoever enters must have. */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createUser } from '@nats-io/nkeys';
import { type ConnectionOptions, nkeyAuthenticator } from '@nats-io/transport-node';
import type { ConnectOptions } from '../../src/index.ts';
import { makeAuthority } from '../../test/support/certificates.ts';

export interface Access {
  /** Lines for the broker's configuration. */
  readonly config: string;
  /** Options of our client, and of the official one. */
  readonly ours: ConnectOptions;
  readonly official: Partial<ConnectionOptions>;
  /** Variables for our functions. */
  readonly env: Readonly<Record<string, string>>;
}

/** Ways into a nats-server. */
export type AccessKind = 'plain' | 'nkey' | 'tls';

/** @param folder for certificates */
export async function makeAccess(kind: AccessKind, folder: string): Promise<Access> {
  if (kind === 'nkey') return byNkey();
  if (kind === 'tls') return byTls(folder);
  return { config: '', ours: {}, official: {}, env: {} };
}

function byNkey(): Access {
  const user = createUser();
  const seed = user.getSeed();
  const text = new TextDecoder().decode(seed);
  return {
    config: `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`,
    ours: { nkey: text },
    official: { authenticator: nkeyAuthenticator(seed) },
    env: { MEMPHIS_NKEY: text },
  };
}

async function byTls(folder: string): Promise<Access> {
  const authority = await makeAuthority('bench authority');
  const { cert, key } = await authority.issue({ name: 'server', dns: ['localhost'], ips: ['127.0.0.1'] });
  const files = { ca: authority.ca, cert, key };
  const fileOf = (name: string): string => path.join(folder, `${name}.pem`);
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(fileOf(name), text, { mode: 0o600 })));
  return {
    config: `tls { cert_file: "${fileOf('cert')}", key_file: "${fileOf('key')}", timeout: 5 }`,
    ours: { tls: { ca: authority.ca } },
    official: { tls: { caFile: fileOf('ca') } },
    env: { MEMPHIS_TLS_CA: fileOf('ca') },
  };
}
