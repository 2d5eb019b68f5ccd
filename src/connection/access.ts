/** What a dial shows the server, and whom it trusts: credentials and TLS out of options, asked for and read at each dial. */

import type { ConnectSettings, ServerAddress, UserInfo } from './addresses.ts';
import { monotonicMs } from './monotonic.ts';
import { isCredsText, isSeedText, parseCreds, parseSeed } from './nkey-text.ts';
import type { Credentials, DialOptions, TlsSettings } from './port.ts';
import { refuse } from './refuse.ts';
import { askSecret, textOrFile, withLineBreaks } from './secret-text.ts';

/** What one dial says to a server. */
export type Access = (
  address: ServerAddress,
) => Pick<DialOptions, 'server' | 'certifiedName' | 'credentials' | 'tls' | 'isMemphis' | 'accountId' | 'early'>;

const IN_SERVERS = 'credentials in servers';
const NAMES = ['username', 'password', 'connectionToken', IN_SERVERS];

function userInfoOf(addresses: readonly ServerAddress[]): UserInfo | undefined {
  return addresses.find(({ userInfo }) => userInfo !== undefined)?.userInfo;
}

/** Refuses what cannot go together, and texts that can be seen to be wrong. No I/O. @throws MemphisError `INVALID_OPTION` */
export function checkAccess(options: ConnectSettings, addresses: readonly ServerAddress[]): void {
  const { password, creds, nkey, tls } = options;
  if ((creds ?? nkey ?? password) !== undefined) checkTogether(options, userInfoOf(addresses));
  if (tls === false && addresses.some(({ insistsOnTls }) => insistsOnTls)) exclude('tls', 'tls:// in servers');
}

function exclude(option: string, other: string): never {
  return refuse(option, `${option} and ${other} exclude each other (options or MEMPHIS_ variables)`);
}

function checkTogether(options: ConnectSettings, inServers: UserInfo | undefined): void {
  const given: Readonly<Record<string, unknown>> = { ...options, [IN_SERVERS]: inServers };
  // a username beside the token is what the Memphis SDKs give: the token decides
  const exclusive = { creds: ['nkey', ...NAMES], nkey: NAMES, password: ['connectionToken'] };
  for (const [option, others] of Object.entries(exclusive)) {
    for (const other of others) if (given[option] !== undefined && given[other] !== undefined) exclude(option, other);
  }
  const { username = inServers?.username, password, creds, nkey } = options;
  if (password !== undefined && username === undefined) refuse('username', 'A password needs a username');
  if (typeof creds === 'string' && isCredsText(creds)) parseCreds(withLineBreaks(creds));
  if (typeof nkey === 'string' && isSeedText(nkey)) parseSeed(withLineBreaks(nkey));
}

/** What options say when functions have been asked and files were read. */
interface Known {
  readonly tls: boolean | TlsSettings | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  /** What proves a key; goes before names and passwords. */
  readonly signed?: Credentials | undefined;
}

/** What dials say: known beforehand, or asked for at each, so that rotated credentials are met. */
export interface AccessSource {
  readonly access?: Access;
  /**
   * Where there is no `access`.
   *
   * @param limitMs for all of it
   * @param givenUp resolves when nobody waits for it any more
   * @throws MemphisError `CONNECT_FAILED`, `INVALID_OPTION`
   */
  readonly ask?: (limitMs: number, givenUp?: Promise<undefined>) => Promise<Access>;
}

/** No I/O. Functions and files are asked where there are any. */
export function toAccess(options: ConnectSettings, addresses: readonly ServerAddress[]): AccessSource {
  const { tls, creds, nkey, password, connectionToken: token } = options;
  const isKnown = typeof tls !== 'object' && (creds ?? nkey) === undefined;
  if (isKnown && typeof password !== 'function' && typeof token !== 'function')
    return { access: accessOf(options, addresses, { tls, password, token }) };
  return { ask: async (...limits) => accessOf(options, addresses, await ask(options, ...limits)) };
}

async function ask(options: ConnectSettings, limitMs: number, givenUp?: Promise<undefined>): Promise<Known> {
  const untilMs = monotonicMs() + limitMs;
  const askFor = (option: 'password' | 'connectionToken' | 'creds' | 'nkey') =>
    askSecret(option, options[option], Math.max(1, untilMs - monotonicMs()), givenUp);
  const tls = await toTlsSettings(options.tls);
  const creds = await askFor('creds');
  const nkey = await askFor('nkey');
  const password = await askFor('password');
  const token = await askFor('connectionToken');
  let signed: Credentials | undefined;
  if (creds !== undefined) signed = { kind: 'jwt', ...parseCreds(await textOrFile('creds', creds, isCredsText)) };
  else if (nkey !== undefined) signed = { kind: 'nkey', seed: parseSeed(await textOrFile('nkey', nkey, isSeedText)) };
  return { tls, password, token, signed };
}

function accessOf(
  { broker, accountId, username, tls: given }: ConnectSettings,
  addresses: readonly ServerAddress[],
  { tls: settings, password, token, signed }: Known,
): Access {
  const shared = userInfoOf(addresses);
  return ({ server, certifiedName, insistsOnTls, userInfo = shared }) => {
    const tls = settings === true ? {} : (settings ?? (insistsOnTls ? {} : undefined));
    const name = (typeof given === 'object' ? given.serverName : undefined) ?? certifiedName;
    const isBare = (username ?? password ?? token ?? userInfo) === undefined;
    const credentials = signed ?? (isBare ? undefined : toCredentials(username, password, token, userInfo));
    return {
      server,
      ...(name && { certifiedName: name }),
      ...(credentials && { credentials }),
      ...(tls !== undefined && { tls, ...(broker !== 'auto' && { early: true }) }),
      ...(accountId !== 1 && { accountId }),
      ...(broker === 'memphis' && { isMemphis: true }),
    };
  };
}

/** Options go before what stands in an address. */
function toCredentials(
  givenName: string | undefined,
  givenPassword: string | undefined,
  givenToken: string | undefined,
  inAddress: UserInfo = {},
): Credentials | undefined {
  const username = givenName ?? inAddress.username;
  const password = givenPassword ?? inAddress.password;
  const token = givenToken ?? inAddress.token;
  const isToken = token !== undefined && (givenToken !== undefined || password === undefined);
  if (isToken) return { kind: 'token', token, ...(username !== undefined && { username }) };
  return username === undefined ? undefined : { kind: 'password', username, password: password ?? '' };
}

function isPem(value: string): boolean {
  return value.includes('-----BEGIN');
}

async function toTlsSettings(tls: ConnectSettings['tls']): Promise<boolean | TlsSettings | undefined> {
  if (typeof tls !== 'object') return tls;
  const [ca, cert, key] = await Promise.all(
    (['ca', 'cert', 'key'] as const).map((field) => {
      const given = tls[field];
      return given === undefined ? undefined : textOrFile('tls', given, isPem, `tls.${field}`);
    }),
  );
  return { ca, cert, key, handshakeFirst: tls.handshakeFirst };
}
