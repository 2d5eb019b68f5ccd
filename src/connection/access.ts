/** What a dial shows the server, and whom it trusts: credentials and TLS out of options, asked for and read at each dial. */

import { MemphisError } from '../model/errors.ts';
import type { ConnectSettings, ServerAddress, UserInfo } from './addresses.ts';
import { defined } from './defined.ts';
import { monotonicMs } from './monotonic.ts';
import { isCredsText, isSeedText, parseCreds, parseSeed } from './nkey-text.ts';
import type { Credentials, DialOptions, TlsSettings } from './port.ts';
import { askSecret, textOrFile, withLineBreaks } from './secret-text.ts';

/** What one dial says to a server. */
export type Access = (
  address: ServerAddress,
) => Pick<DialOptions, 'server' | 'certifiedName' | 'credentials' | 'tls' | 'isMemphis' | 'accountId' | 'early'>;

const refuse = (option: string, words: string): never => {
  throw new MemphisError('INVALID_OPTION', `${words}.`, { option });
};

const IN_SERVERS = 'credentials in servers';
const NAMES = ['username', 'password', 'connectionToken', IN_SERVERS];
/** A username beside the token is what the Memphis SDKs give: the token decides. */
const EXCLUSIVE = { creds: ['nkey', ...NAMES], nkey: NAMES, password: ['connectionToken'] };

const userInfoOf = (addresses: readonly ServerAddress[]): UserInfo | undefined =>
  addresses.find(({ userInfo }) => userInfo !== undefined)?.userInfo;

/** Refuses what cannot go together, and texts that can be seen to be wrong. No I/O. @throws MemphisError `INVALID_OPTION` */
export function checkAccess(options: ConnectSettings, addresses: readonly ServerAddress[]): void {
  const inServers = userInfoOf(addresses);
  const insists = addresses.some(({ insistsOnTls }) => insistsOnTls);
  const given: Readonly<Record<string, unknown>> = { ...options, [IN_SERVERS]: inServers };
  const exclude = (option: string, other: string): never =>
    refuse(option, `${option} and ${other} exclude each other (options or MEMPHIS_ variables)`);
  for (const [option, others] of Object.entries(EXCLUSIVE)) {
    for (const other of others) if (given[option] !== undefined && given[other] !== undefined) exclude(option, other);
  }
  const { username = inServers?.username, password, creds, nkey, tls } = options;
  if (password !== undefined && username === undefined) refuse('username', 'A password needs a username');
  if (typeof creds === 'string' && isCredsText(creds)) parseCreds(withLineBreaks(creds));
  if (typeof nkey === 'string' && isSeedText(nkey)) parseSeed(withLineBreaks(nkey));
  if (tls === false && insists) exclude('tls', 'tls:// in servers');
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
  const untilMs = monotonicMs() + limitMs;
  const ask = (option: 'password' | 'connectionToken' | 'creds' | 'nkey') =>
    askSecret(option, options[option], Math.max(1, untilMs - monotonicMs()));
  const settings = await toTlsSettings(options.tls);
  const creds = await ask('creds');
  const nkey = await ask('nkey');
  const password = await ask('password');
  const token = await ask('connectionToken');
  let signed: Credentials | undefined;
  if (creds !== undefined) signed = { kind: 'jwt', ...parseCreds(await textOrFile('creds', creds, isCredsText)) };
  else if (nkey !== undefined) signed = { kind: 'nkey', seed: parseSeed(await textOrFile('nkey', nkey, isSeedText)) };
  const { broker, accountId, username } = options;
  const serverName = typeof options.tls === 'object' ? options.tls.serverName : undefined;
  const shared = userInfoOf(addresses);
  return ({ server, certifiedName, insistsOnTls, userInfo = shared }) => {
    const tls = settings ?? (insistsOnTls ? {} : undefined);
    return defined({
      server,
      certifiedName: serverName ?? certifiedName,
      credentials: signed ?? toCredentials({ username, password, token }, userInfo),
      tls,
      early: (tls !== undefined && broker !== 'auto') || undefined,
      accountId: accountId === 1 ? undefined : accountId,
      isMemphis: broker === 'memphis' || undefined,
    });
  };
}

/** Options go before what stands in an address. */
function toCredentials(
  given: { readonly [Name in keyof UserInfo]-?: string | undefined },
  inAddress: UserInfo = {},
): Credentials | undefined {
  const { username, password, token }: UserInfo = { ...inAddress, ...defined(given) };
  const isToken = token !== undefined && (given.token !== undefined || password === undefined);
  if (isToken) return { kind: 'token', token, ...defined({ username }) };
  return username === undefined ? undefined : { kind: 'password', username, password: password ?? '' };
}

const isPem = (value: string): boolean => value.includes('-----BEGIN');

async function toTlsSettings(tls: ConnectSettings['tls']): Promise<false | TlsSettings | undefined> {
  if (typeof tls !== 'object') return tls === true ? {} : tls;
  const [ca, cert, key] = await Promise.all(
    (['ca', 'cert', 'key'] as const).map((field) => {
      const given = tls[field];
      return given === undefined ? undefined : textOrFile('tls', given, isPem, `tls.${field}`);
    }),
  );
  return defined({ ca, cert, key, handshakeFirst: tls.handshakeFirst || undefined });
}
