/** Servers that options name: schemes, ports and credentials in addresses. No I/O. */

import type { Resolved } from '../model/option-spec.ts';
import type { connectOptions } from '../model/options/connect.ts';
import { refuse } from './refuse.ts';

/** Options of `connect`, resolved. */
export type ConnectSettings = Resolved<typeof connectOptions>;

/** What stood before the `@` of an address. */
export interface UserInfo {
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
}

/** A server as it can be dialled. Holds secrets: show `server` alone. */
export interface ServerAddress {
  /** `host:port`; an IPv6 host in brackets. */
  readonly server: string;
  /** The name that its certificate must bear, where that is not the host. */
  readonly certifiedName?: string;
  /** Whether it was named with `tls://`: TLS is insisted on then. */
  readonly insistsOnTls: boolean;
  readonly userInfo?: UserInfo;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789-.';
function areLetters(text: string): boolean {
  return [...text].every((letter) => LETTERS.includes(letter));
}

/**
 * Whether nothing in it must be looked at twice: a host in lower case or an IPv4 address, and a port. By hand, since the
 * first uses of an expression, or of `URL`, cost a cold start more than all of this.
 */
function isPlain(server: string): boolean {
  const [host = '', port, more] = server.split(':');
  const labels = host.split('.');
  const isHost =
    (labels.at(-1) as string) >= 'a'
      ? areLetters(host) && !host.includes('--')
      : labels.length === 4 && labels.every((label) => String(Number(label) & 255) === label);
  return isHost && more === undefined && String(Number(port) & 65_535 || '') === port;
}

/** One entry of `servers`, or `host` and `port`: scheme and credentials taken apart. */
export function parseServer(entry: string, defaultPort?: number): ServerAddress {
  const server = entry.startsWith('nats://') ? entry.slice(7) : entry;
  return isPlain(server) ? { server, insistsOnTls: false } : parseMemphis(entry, defaultPort);
}

/** What those write who have a Memphis broker, mostly: its scheme or none, a name and a password, perhaps no port. */
function parseMemphis(entry: string, defaultPort?: number): ServerAddress {
  const [host = '', user, more] = entry
    .slice(entry.startsWith('memphis://') ? 10 : 0)
    .split('@')
    .reverse();
  const server = host.includes(':') ? host : `${host}:${defaultPort ?? 6666}`;
  const [username = '', password = '', tooMuch = more] = user?.split(':') ?? [];
  const isPlainUser =
    user === undefined || (username !== '' && password !== '' && areLetters(user.toLowerCase().replace(':', '')));
  if (!isPlain(server) || !isPlainUser || tooMuch !== undefined) return parseUrl(entry, defaultPort);
  return { server, insistsOnTls: false, ...(user === undefined ? {} : { userInfo: { username, password } }) };
}

function parseUrl(entry: string, defaultPort: number | undefined): ServerAddress {
  // an entry may carry a password: name only what stands behind the @
  const refuseIt = (why: string): never =>
    refuse('servers', `servers: ${JSON.stringify(entry.slice(entry.lastIndexOf('@') + 1))} ${why}`);
  const [before = '', scheme = ''] = /^([a-z]+):\/\//.exec(entry.toLowerCase()) ?? [];
  if (!/^(nats|tls|memphis|)$/.test(scheme)) refuseIt('must begin with nats://, tls:// or memphis://');
  const address = `http://${entry.slice(before.length)}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url?.hostname || url.pathname !== '/' || url.search !== '') {
    return refuseIt('is no server address; write host:port or nats://host:port');
  }
  const explicit = /:(\d+)\/?$/.exec(entry)?.[1]; // URL drops http's own port 80
  const port = explicit ?? defaultPort ?? (scheme === 'nats' || scheme === 'tls' ? 4222 : 6666);
  let [username, password] = [url.username, url.password];
  try {
    [username, password] = [decodeURIComponent(username), decodeURIComponent(password)];
  } catch {
    refuseIt('has credentials with a bare %; write it as %25');
  }
  const userInfo = password === '' ? { token: username } : { username, password };
  return {
    server: `${url.hostname}:${port}`,
    insistsOnTls: scheme === 'tls',
    ...(username + password === '' ? {} : { userInfo }),
  };
}

/** The servers that options name, in order. @throws MemphisError `INVALID_OPTION` */
export function toAddresses({ servers, host, port }: ConnectSettings): readonly ServerAddress[] {
  if (servers === undefined) return [parseServer(toServer(host), port)];
  if (host !== undefined) refuse('host', 'Give either servers or host, not both');
  return servers.map((entry) => parseServer(entry, port));
}

/** The Memphis SDKs take a host with http:// in front and strip it. */
function toServer(host: string | undefined): string {
  if (host !== undefined) return host.replace(/^https?:\/\//, '');
  return refuse('servers', 'No broker is named: set servers or host, or MEMPHIS_SERVERS or MEMPHIS_HOST');
}

/** Of `host:port`; without the brackets of IPv6. */
export function hostOf(server: string): string {
  const host = server.slice(0, server.lastIndexOf(':'));
  return host.startsWith('[') ? host.slice(1, -1) : host;
}
/** Whether a host is an IP address. */
export function isIp(host: string): boolean {
  return host.includes(':') || /^[\d.]+$/.test(host);
}

/**
 * A server that INFO named, as `host:port`. Clusters tell addresses, while certificates bear names: an address must
 * show the name of the server that told it.
 */
export function toPeer(server: string, toldBy: ServerAddress): ServerAddress {
  const { certifiedName, ...rest } = toldBy;
  const name = certifiedName ?? hostOf(toldBy.server);
  return { ...rest, server, ...(isIp(hostOf(server)) && !isIp(name) ? { certifiedName: name } : {}) };
}
