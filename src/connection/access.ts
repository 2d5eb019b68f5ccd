/** What a dial shows the server, and whom it trusts: credentials and TLS out of options, asked for and read at each dial. */

import { MemphisError } from '../model/errors.ts';
import type { ConnectSettings, ServerAddress, UserInfo } from './addresses.ts';
import { monotonicMs } from './monotonic.ts';
import { isCredsText, isSeedText, parseCreds, parseSeed } from './nkey-text.ts';
import type { Credentials, DialOptions, TlsSettings } from './port.ts';
import { askSecret, textOrFile } from './secret-text.ts';

/** What one dial says to a server. */
export type Access = (
  address: ServerAddress,
) => Pick<DialOptions, 'server' | 'certifiedName' | 'credentials' | 'tls' | 'isMemphis' | 'accountId' | 'early'>;

const exclude = (option: string, other: string): never => {
  throw new MemphisError(
    'INVALID_OPTION',
    `${option} and ${other} exclude each other (options or MEMPHIS_ variables).`,
    {
      option,
    },
  );
};

/** Refuses what cannot go together, and texts that can be seen to be wrong. No I/O. @throws MemphisError `INVALID_OPTION` */
export function checkAccess(options: ConnectSettings, addresses: readonly ServerAddress[]): void {
  const { username, password, connectionToken, creds, nkey, tls } = options;
  const inAddress = addresses.find(({ userInfo }) => userInfo !== undefined)?.userInfo;
  const others = { username, password, connectionToken, 'credentials in servers': inAddress };
  for (const [option, value] of Object.entries({ creds, nkey })) {
    if (value === undefined) continue;
    for (const [other, given] of Object.entries(others)) if (given !== undefined) exclude(option, other);
  }
  if (creds !== undefined && nkey !== undefined) exclude('creds', 'nkey');
  // a username beside the token is what the Memphis SDKs give: the token decides
  if (password !== undefined && connectionToken !== undefined) exclude('password', 'connectionToken');
  if (password !== undefined && username === undefined && inAddress?.username === undefined) {
    throw new MemphisError('INVALID_OPTION', 'A password needs a username.', { option: 'username' });
  }
  if (typeof creds === 'string' && isCredsText(creds)) parseCreds(creds.replaceAll('\\n', '\n'));
  if (typeof nkey === 'string' && isSeedText(nkey)) parseSeed(nkey.replaceAll('\\n', '\n'));
  if (tls === false && addresses.some(({ insistsOnTls }) => insistsOnTls)) exclude('tls', 'tls:// in servers');
}

/**
 * Asks functions and reads files.
 *
 * @param limitMs for all of it
 * @throws MemphisError `CONNECT_FAILED`, `INVALID_OPTION`
 */
export async function toAccess(
  options: ConnectSettings,
  addresses: readonly ServerAddress[],
  limitMs: number,
): Promise<Access> {
  const startedAt = monotonicMs();
  const leftMs = (): number => Math.max(1, Math.ceil(limitMs - (monotonicMs() - startedAt)));
  const ask = (option: 'password' | 'connectionToken' | 'creds' | 'nkey') =>
    askSecret(option, options[option], leftMs());
  const tls = await toTlsSettings(options.tls);
  const creds = await ask('creds');
  const nkey = await ask('nkey');
  if (creds !== undefined) {
    const parsed = parseCreds(await textOrFile('creds', creds, isCredsText));
    return toDial(options, tls, () => ({ kind: 'jwt', ...parsed }));
  }
  if (nkey !== undefined) {
    const seed = parseSeed(await textOrFile('nkey', nkey, isSeedText));
    return toDial(options, tls, () => ({ kind: 'nkey', seed }));
  }
  const given = { username: options.username, password: await ask('password'), token: await ask('connectionToken') };
  const shared = addresses.find(({ userInfo }) => userInfo !== undefined)?.userInfo;
  return toDial(options, tls, ({ userInfo }) => toCredentials(given, userInfo ?? shared ?? {}));
}

function toDial(
  { tls: option, broker, accountId }: ConnectSettings,
  settings: false | TlsSettings | undefined,
  credentialsFor: (address: ServerAddress) => Credentials | undefined,
): Access {
  const serverName = typeof option === 'object' ? option.serverName : undefined;
  return (address) => {
    const certifiedName = serverName ?? address.certifiedName;
    const tls = settings ?? (address.insistsOnTls ? {} : undefined);
    const credentials = credentialsFor(address);
    return {
      server: address.server,
      ...(certifiedName === undefined ? {} : { certifiedName }),
      ...(credentials === undefined ? {} : { credentials }),
      ...(tls === undefined ? {} : { tls }),
      ...(tls !== undefined && broker !== 'auto' ? { early: true } : {}),
      ...(accountId === 1 ? {} : { accountId }),
      ...(broker === 'memphis' ? { isMemphis: true } : {}),
    };
  };
}

/** Options go before what stands in an address. */
function toCredentials(
  given: { readonly [Name in keyof UserInfo]-?: string | undefined },
  inAddress: UserInfo,
): Credentials | undefined {
  const username = given.username ?? inAddress.username;
  const password = given.password ?? inAddress.password;
  const token = given.token ?? inAddress.token;
  if (token !== undefined && (given.token !== undefined || password === undefined))
    return { kind: 'token', token, ...(username === undefined ? {} : { username }) };
  return username === undefined ? undefined : { kind: 'password', username, password: password ?? '' };
}

const isPem = (value: string): boolean => value.includes('-----BEGIN');

async function toTlsSettings(tls: ConnectSettings['tls']): Promise<false | TlsSettings | undefined> {
  if (tls === undefined || tls === false) return tls;
  if (tls === true) return {};
  const read = async (field: 'ca' | 'cert' | 'key'): Promise<{ readonly [Name in typeof field]?: string }> => {
    const given = tls[field];
    return given === undefined ? {} : { [field]: await textOrFile('tls', given, isPem, `tls.${field}`) };
  };
  const [ca, cert, key] = await Promise.all([read('ca'), read('cert'), read('key')]);
  return { ...ca, ...cert, ...key, ...(tls.handshakeFirst ? { handshakeFirst: true } : {}) };
}
