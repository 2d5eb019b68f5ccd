/** Where the HTTP API of a broker is, and who asks: out of the options of `connect`. */

import { type ConnectSettings, toAddresses } from '../../connection/addresses.ts';
import { MemphisError } from '../../model/errors.ts';
import { placedBroker } from '../../model/placed-broker.ts';
import { HttpApi } from './http-api.ts';

const DEFAULT_PORT = 9000;

function refuse(why: string): never {
  throw new MemphisError('INVALID_OPTION', `apiUrl ${why}.`, { option: 'apiUrl' });
}

function parse(given: string): URL {
  try {
    const url = new URL(given);
    if (/^https?:$/.test(url.protocol) && url.hostname !== '') return url;
  } catch {
    // told below, without what was given: it may hold a password
  }
  return refuse('must be http://host:port or https://host:port, with user:password@ where it needs them');
}

/**
 * Asks nothing. Credentials in `apiUrl` go before those of the connection.
 *
 * @throws MemphisError `INVALID_OPTION`
 */
export function openApi(settings: ConnectSettings, apiUrl: string | undefined): HttpApi {
  // with a broker of a test, or a connection, in its place, there are no servers to be named
  const isPlaced = placedBroker() !== undefined || settings.connection !== undefined;
  const [first] = isPlaced ? [] : toAddresses(settings);
  const host = (first?.server ?? 'localhost').replace(/:\d+$/, '');
  const url = apiUrl === undefined ? new URL(`http://${host}:${DEFAULT_PORT}`) : parse(apiUrl);
  const { username, password } = settings;
  const own = url.username !== '';
  return new HttpApi({
    url: `${url.origin}${url.pathname.replace(/\/$/, '')}`,
    username: (own
      ? decodeURIComponent(url.username)
      : (username ?? first?.userInfo?.username ?? 'root')
    ).toLowerCase(),
    password: async () => {
      if (own) return decodeURIComponent(url.password);
      return (typeof password === 'function' ? await password() : password) ?? first?.userInfo?.password;
    },
  });
}
