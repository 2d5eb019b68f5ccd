/** Servers that options name: schemes, ports and credentials in addresses. No I/O. */

import { MemphisError } from '../model/errors.ts';
import type { Resolved } from '../model/option-spec.ts';
import type { connectOptions } from '../model/options/connect.ts';

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

const SCHEMES = new Set([undefined, 'nats', 'memphis', 'tls']);

const refuse = (entry: string, why: string): never => {
  // an entry may carry a password: name only what stands behind the @
  const shown = entry.slice(entry.lastIndexOf('@') + 1);
  throw new MemphisError('INVALID_OPTION', `servers: ${JSON.stringify(shown)} ${why}.`, { option: 'servers' });
};

/** One entry of `servers`, or `host` and `port`: scheme and credentials taken apart. */
export function parseServer(entry: string, defaultPort?: number): ServerAddress {
  const scheme = /^([a-z]+):\/\//i.exec(entry)?.[1]?.toLowerCase();
  if (!SCHEMES.has(scheme)) refuse(entry, 'must begin with nats://, tls:// or memphis://');
  let url: URL;
  try {
    url = new URL(`http://${scheme === undefined ? entry : entry.slice(scheme.length + 3)}`);
  } catch {
    return refuse(entry, 'is no server address; write host:port or nats://host:port');
  }
  if (url.hostname === '' || (url.pathname !== '/' && url.pathname !== '') || url.search !== '') {
    refuse(entry, 'is no server address; write host:port or nats://host:port');
  }
  const explicit = /:(\d+)\/?$/.exec(entry)?.[1]; // URL drops http's own port 80
  const port = explicit ?? String(defaultPort ?? (scheme === 'nats' || scheme === 'tls' ? 4222 : 6666));
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return refuse(entry, 'has credentials with a bare %; write it as %25');
    }
  };
  const username = decode(url.username);
  const password = decode(url.password);
  const userInfo = password !== '' ? { username, password } : username !== '' ? { token: username } : undefined;
  const address = { server: `${url.hostname}:${port}`, insistsOnTls: scheme === 'tls' };
  return userInfo === undefined ? address : { ...address, userInfo };
}

/** The servers that options name, in order. @throws MemphisError `INVALID_OPTION` */
export function toAddresses(options: ConnectSettings): readonly ServerAddress[] {
  if (options.servers !== undefined && options.host !== undefined) {
    throw new MemphisError('INVALID_OPTION', 'Give either servers or host, not both.', { option: 'host' });
  }
  if (options.servers !== undefined) return options.servers.map((entry) => parseServer(entry, options.port));
  if (options.host === undefined) {
    throw new MemphisError(
      'INVALID_OPTION',
      'No broker is named: set servers or host, or MEMPHIS_SERVERS or MEMPHIS_HOST.',
      { option: 'servers' },
    );
  }
  // the Memphis SDKs take a host with http:// in front and strip it
  return [parseServer(options.host.replace(/^https?:\/\//, ''), options.port)];
}

const hostOf = (server: string): string => server.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
const isIp = (host: string): boolean => host.includes(':') || /^[\d.]+$/.test(host);

/**
 * A server that INFO named, as `host:port`. Clusters tell addresses, while certificates bear names: an address must
 * show the name of the server that told it.
 */
export function toPeer(server: string, toldBy: ServerAddress): ServerAddress {
  const { certifiedName, ...rest } = toldBy;
  const name = certifiedName ?? hostOf(toldBy.server);
  return { ...rest, server, ...(isIp(hostOf(server)) && !isIp(name) ? { certifiedName: name } : {}) };
}
