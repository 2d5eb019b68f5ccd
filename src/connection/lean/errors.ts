/** Why a session could not be opened: words of servers, sockets and Node's TLS -> our codes. */

import { MemphisError } from '../../model/errors.ts';
import type { DialOptions } from '../port.ts';

/** What a server said in an `-ERR` line. */
export class ServerError extends Error {}

const CLIENT_CERTIFICATE = 'it demands a client certificate or does not accept this one: set tls.cert and tls.key';

/** By Node's names (https://nodejs.org/api/tls.html#x509-certificate-error-codes) and our own. The first that fits counts. */
function tlsTroubles(): readonly (readonly [code: RegExp, words: string])[] {
  return [
    [
      /^UNABLE_TO_(VERIFY|GET_ISSUER)|SELF_SIGNED|^CERT_(SIGNATURE|UNTRUSTED)/,
      'its certificate is not trusted: set tls.ca to the authority that signed it',
    ],
    [/^CERT_HAS_EXPIRED/, 'its certificate has expired: renew it'],
    [/ALTNAME/, 'its certificate bears another name: dial it under that one, or set tls.serverName to it'],
    [/^(CERT_|CRL_|UNABLE_TO_|ERROR_IN_|INVALID_|PATH_|HOSTNAME_)/, 'its certificate is not right'],
    [/ALERT_(CERT|BAD_CERT|UNKNOWN_CA|HANDSHAKE)/, CLIENT_CERTIFICATE],
    [/^(ERR_(SSL|TLS|OSSL)_|EPROTO)/, 'it speaks no TLS that Node accepts'],
    [/^NO_TLS/, 'it has no TLS: switch it on there, or set tls: false to connect in clear'],
    [/^IN_CLEAR/, 'it answered in clear: leave tls.handshakeFirst out'],
    [/^DEMANDS_TLS/, 'it demands TLS: leave tls: false out'],
  ];
}

/** An end that Node has no name for. */
export function trouble(code: 'NO_TLS' | 'IN_CLEAR' | 'DEMANDS_TLS' | 'HUNG_UP'): Error {
  return Object.assign(new Error(code === 'HUNG_UP' ? 'the server hung up' : code), { code });
}

/**
 * For an error while a session was being opened.
 *
 * @param isVerified whether the server's certificate had been found good before
 */
export function dialError(cause: Error, { server }: DialOptions, isVerified: boolean): MemphisError {
  if (cause instanceof MemphisError && cause.code !== 'PROTOCOL_ERROR') return cause;
  const { code = '' } = cause as { readonly code?: string };
  const start = `Could not connect to ${server}: `;
  const [, words] = tlsTroubles().find(([pattern]) => pattern.test(code)) ?? [];
  if (words !== undefined) return new MemphisError('TLS_FAILED', `${start}${words} (${code}).`, { cause });
  // the refusal of a client certificate is sometimes lost behind the reset; a server that is killed looks the same
  if (isVerified && /^(ECONNRESET|EPIPE|HUNG_UP)$/.test(code)) {
    const hungUp = `${start}it hung up after the TLS handshake: ${CLIENT_CERTIFICATE}.`;
    return new MemphisError('TLS_FAILED', hungUp, { cause, retryable: true });
  }
  const said = `${start}${cause.message || code}. Check `;
  // frozen or slow in the middle of a dial: these credentials may be good
  if (cause instanceof ServerError && /authori|authentication (?!timeout)/i.test(cause.message)) {
    const hint = 'the credentials: they are missing, wrong, expired or revoked.';
    return new MemphisError('AUTHENTICATION_FAILED', said + hint, { cause });
  }
  const hint = 'servers, host and port, and that the network lets this function reach them.';
  return new MemphisError('CONNECT_FAILED', said + hint, { cause });
}
