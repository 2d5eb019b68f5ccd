/** Options of `connect` -> a link, and the servers they mean. */

import { MemphisError } from '../model/errors.ts';
import type { connectOptions, Resolved, Secret } from '../model/options.ts';
import { Link } from './link.ts';
import { openOfficial } from './official/open-official.ts';
import type { DialOptions } from './port.ts';

export type ConnectSettings = Resolved<typeof connectOptions>;

interface Target {
  readonly address: string;
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
}

const refuse = (entry: string, why: string): never => {
  // an entry may carry a password: name only what stands behind the @
  const shown = entry.slice(entry.lastIndexOf('@') + 1);
  throw new MemphisError('INVALID_OPTION', `servers: ${JSON.stringify(shown)} ${why}.`, { option: 'servers' });
};

/** One entry of `servers`, or `host` and `port`: scheme and credentials taken apart. */
export function parseServer(entry: string, defaultPort?: number): Target {
  const scheme = /^([a-z]+):\/\//i.exec(entry)?.[1]?.toLowerCase();
  if (scheme === 'tls') refuse(entry, 'asks for TLS, which is not supported yet');
  if (scheme !== undefined && scheme !== 'nats' && scheme !== 'memphis')
    refuse(entry, 'must begin with nats:// or memphis://');
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
  const port = explicit ?? String(defaultPort ?? (scheme === 'nats' ? 4222 : 6666));
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return refuse(entry, 'has credentials with a bare %; write it as %25');
    }
  };
  const username = decode(url.username);
  const password = decode(url.password);
  const credentials = password !== '' ? { username, password } : username !== '' ? { token: username } : {};
  return { address: `${url.hostname}:${port}`, ...credentials };
}

/** The servers that options name, in order. @throws MemphisError `INVALID_OPTION` */
export function toTargets(options: ConnectSettings): readonly Target[] {
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

/** A secret; a function that gives it must do so in time. @throws MemphisError `CONNECT_FAILED`, its words only as cause */
async function ask(option: string, secret: Secret | undefined, timeoutMs: number): Promise<string | undefined> {
  if (typeof secret !== 'function') return secret;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([secret(), limit]);
  } catch (cause) {
    throw new MemphisError(
      'CONNECT_FAILED',
      `Could not connect: the function given as ${option} failed or took too long; see the cause.`,
      { cause, option },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Secrets are asked for at each dial, so that stores and rotation need no code of ours. */
async function toDialOptions(options: ConnectSettings, targets: readonly Target[]): Promise<DialOptions> {
  const inUrl = targets.find((target) => target.username !== undefined || target.token !== undefined);
  const username = options.username ?? inUrl?.username;
  const startedAt = performance.now();
  const leftMs = (): number => Math.max(1, Math.ceil(options.timeoutMs - (performance.now() - startedAt)));
  const password = (await ask('password', options.password, leftMs())) ?? inUrl?.password;
  const token = (await ask('connectionToken', options.connectionToken, leftMs())) ?? inUrl?.token;
  return {
    servers: targets.map((target) => target.address),
    name: 'memphis-serverless',
    timeoutMs: leftMs(),
    // the Memphis SDKs give a username beside the token: the token decides there
    ...(token !== undefined && password === undefined
      ? { token }
      : username === undefined
        ? {}
        : { username, password: password ?? '' }),
  };
}

/**
 * Makes a link. No I/O.
 *
 * @throws MemphisError `INVALID_OPTION`
 */
export function makeLink(options: ConnectSettings): Link {
  const targets = toTargets(options);
  if (
    options.password !== undefined &&
    options.username === undefined &&
    targets.every((t) => t.username === undefined)
  ) {
    throw new MemphisError('INVALID_OPTION', 'A password needs a username.', { option: 'username' });
  }
  return new Link({
    dialOptions: () => toDialOptions(options, targets),
    dial: openOfficial,
    reconnect: options.reconnect,
    maxReconnect: options.maxReconnect,
    reconnectIntervalMs: options.reconnectIntervalMs,
  });
}
