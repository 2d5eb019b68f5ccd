/** Opens one session of the official client with one server: credentials, TLS, and a time limit that holds. */

import type { ConnectionOptions, NatsConnection, TlsOptions } from '@nats-io/transport-node';
import { isMemphisError, MemphisError } from '../../model/errors.ts';
import { memphisConnect } from '../memphis-connect.ts';
import type { ClientIdentity, Credentials, DialOptions, TlsSettings } from '../port.ts';
import { toDialError } from './errors.ts';
import { watchSockets } from './hang-up.ts';
import { loadNats, type Nats } from './load.ts';
import { prepareTls } from './tls.ts';

/** The client's own pings are out of the way: liveness is checked on use (`link.ts`), since no timer runs in a freeze. */
const NO_PINGS_MS = 2_000_000_000;

/** An open session, and the functions of the client that go with it. */
export interface Open {
  readonly nats: Nats;
  readonly nc: NatsConnection;
}

/**
 * Dials.
 *
 * @param signal gives up at once: sockets are closed, and the promise rejects with `CLOSED`
 * @throws MemphisError `CONNECT_FAILED`, `AUTHENTICATION_FAILED`, `TLS_FAILED`, `INVALID_OPTION`, `CLOSED`
 */
export async function dialNats(options: DialOptions, identity: ClientIdentity, signal: AbortSignal): Promise<Open> {
  const deadlineMs = Date.now() + options.timeoutMs;
  const nats = await loadNats();
  const { name = options.name, user = undefined } = options.isMemphis
    ? memphisConnect(identity, options.credentials, options.accountId)
    : {};
  const base: ConnectionOptions = {
    servers: [options.server],
    name,
    resolve: false, // Node's look-up tries the addresses of a name beside each other, the client's one by one
    reconnect: false,
    waitOnFirstConnect: false,
    pingInterval: NO_PINGS_MS,
    noAsyncTraces: true,
    ...toAuthenticator(nats, options.credentials, user),
  };
  /** @param tls `null`: never, which the client understands although its types do not say so */
  const connect = (tls: TlsOptions | null | undefined): Promise<NatsConnection> => {
    const asked = tls === undefined ? base : ({ ...base, tls } as ConnectionOptions);
    return connectWithin(nats, asked, Math.max(1, deadlineMs - Date.now()), signal);
  };
  const insist = async (settings: TlsSettings): Promise<NatsConnection> => {
    const over = new AbortController();
    const name = options.certifiedName ?? hostOf(options.server);
    const { options: tls, isVerified } = await prepareTls(settings, name, over.signal);
    try {
      return await connect(tls);
    } catch (error) {
      over.abort();
      throw toDialError(error, options, isVerified());
    }
  };
  if (options.tls) return { nats, nc: await insist(options.tls) };
  try {
    return { nats, nc: await connect(options.tls === false ? null : undefined) };
  } catch (cause) {
    const error = toDialError(cause, options, false);
    // INFO asked for TLS, and the client has checked the certificate against no name that we gave it
    if (options.tls === undefined && isMemphisError(error, 'TLS_FAILED')) return { nats, nc: await insist({}) };
    throw error;
  }
}

const hostOf = (server: string): string => server.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');

async function connectWithin(
  nats: Nats,
  options: ConnectionOptions,
  limitMs: number,
  signal: AbortSignal,
): Promise<NatsConnection> {
  let giveUp: (error: Error) => void = () => {};
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const onAbort = (): void => giveUp(new MemphisError('CLOSED', 'Connecting was given up.'));
  const timer = setTimeout(() => giveUp(new Error(`no answer within ${limitMs} ms`)), limitMs);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  // the client's own limit comes after ours, which hangs up
  const { result, hangUp } = watchSockets(() => nats.connect({ ...options, timeout: limitMs + 1_000 }));
  try {
    return await Promise.race([result, givenUp]);
  } catch (error) {
    hangUp();
    result.then((late) => late.close()).catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

function toAuthenticator(
  nats: Nats,
  credentials: Credentials | undefined,
  user: string | undefined,
): Pick<ConnectionOptions, 'authenticator'> {
  switch (credentials?.kind) {
    case undefined:
      return {};
    case 'password':
      return { authenticator: () => ({ user: user ?? credentials.username, pass: credentials.password }) };
    case 'token':
      return { authenticator: () => ({ auth_token: credentials.token }) };
    case 'nkey':
      return { authenticator: nats.nkeyAuthenticator(toSeed(nats, credentials.seed, 'nkey')) };
    case 'jwt':
      return { authenticator: nats.jwtAuthenticator(credentials.jwt, toSeed(nats, credentials.seed, 'creds')) };
  }
}

/** The bytes of a seed whose checksum is right: the client would find out only while it answers the server. */
function toSeed(nats: Nats, seed: string, option: string): Uint8Array {
  const bytes = new TextEncoder().encode(seed);
  try {
    nats.nkeys.fromSeed(bytes);
    return bytes;
  } catch {
    throw new MemphisError('INVALID_OPTION', `${option}: the seed is damaged: its checksum does not fit.`, { option });
  }
}
