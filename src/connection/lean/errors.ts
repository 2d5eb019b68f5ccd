/** Why a session could not be opened, or ended: words of servers, sockets and Node's TLS -> our codes. */

import { describeError, type ErrorCode, MemphisError } from '../../model/errors.ts';
import type { DialOptions } from '../port.ts';

const advice: Partial<Record<ErrorCode, string>> = {
  AUTHENTICATION_FAILED: 'Check the credentials: they are wrong, expired or revoked.',
  CONNECT_FAILED: 'Check servers, host and port, and that the network lets this function reach them.',
};

/** What a server said in an `-ERR` line. */
export class ServerError extends Error {}

const CLIENT_CERTIFICATE =
  'The server demands a client certificate or does not accept this one: set tls.cert and tls.key.';

/** By Node's names (https://nodejs.org/api/tls.html#x509-certificate-error-codes) and our own: what to do. The first that fits counts. */
const troubles: readonly (readonly [code: RegExp, hint: string, words?: string])[] = [
  [
    /^UNABLE_TO_(VERIFY|GET_ISSUER)|SELF_SIGNED|^CERT_(SIGNATURE|UNTRUSTED)/,
    'Nobody that is trusted here has signed its certificate: set tls.ca to the authority that has.',
    'its certificate is not trusted',
  ],
  [/^CERT_HAS_EXPIRED/, "Renew the server's certificate."],
  [/ALTNAME/, 'Dial it under a name that its certificate bears, or set tls.serverName to one.'],
  [/^(CERT_|CRL_|UNABLE_TO_|ERROR_IN_|INVALID_|PATH_|HOSTNAME_)/, "Put the server's certificate right."],
  [/ALERT_(CERT|BAD_CERT|UNKNOWN_CA|HANDSHAKE)/, CLIENT_CERTIFICATE],
  [/^(ERR_(SSL|TLS|OSSL)_|EPROTO)/, 'What listens there speaks no TLS that Node accepts.'],
  [/^NO_TLS/, 'Switch TLS on there, or set tls: false to connect in clear.', 'the server has no TLS'],
  [/^IN_CLEAR/, 'It does not speak TLS first: leave tls.handshakeFirst out.', 'the server answered in clear'],
  [/^DEMANDS/, 'Leave tls: false out.', 'the server demands TLS'],
];

/** An end that Node has no name for. */
export const trouble = (code: 'NO_TLS' | 'IN_CLEAR' | 'DEMANDS_TLS' | 'HUNG_UP'): Error =>
  Object.assign(new Error(code === 'HUNG_UP' ? 'the server hung up' : code), { code });

/**
 * For an error while a session was being opened.
 *
 * @param isVerified whether the server's certificate had been found good before
 */
export function dialError(cause: Error, { server }: DialOptions, isVerified: boolean): MemphisError {
  if (cause instanceof MemphisError && cause.code !== 'PROTOCOL_ERROR') return cause;
  const { code = '', reason } = cause as { readonly code?: string; readonly reason?: string };
  const make = (as: ErrorCode, words: string, hint: string, retryable?: boolean): MemphisError =>
    new MemphisError(as, `Could not connect to ${server}: ${words}. ${hint}`, {
      cause,
      ...(retryable === undefined ? {} : { retryable }),
    });
  const [, hint, words] = troubles.find(([pattern]) => pattern.test(code)) ?? [];
  // OpenSSL's message is a line of numbers
  if (hint !== undefined) return make('TLS_FAILED', words ?? reason ?? describeError(cause), hint);
  // the refusal of a client certificate is sometimes lost behind the reset; a server that is killed looks the same
  if (isVerified && /^(ECONNRESET|EPIPE|HUNG_UP)$/.test(code)) {
    return make('TLS_FAILED', 'the server hung up after the TLS handshake', CLIENT_CERTIFICATE, true);
  }
  // frozen or slow in the middle of a dial: these credentials may be good
  const isRefused = /authori|authentication (?!timeout)/i.test(cause.message) && cause instanceof ServerError;
  const as = isRefused ? 'AUTHENTICATION_FAILED' : 'CONNECT_FAILED';
  return make(as, cause.message || code, advice[as] ?? '');
}
