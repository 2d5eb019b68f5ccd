/** What the official client throws -> our codes. The only place that knows its error names, and those of Node's TLS. */

import { describeError, type ErrorCode, isMemphisError, MemphisError } from '../../model/errors.ts';
import type { DialOptions } from '../port.ts';

function codeOf(error: Error): ErrorCode {
  switch (error.name) {
    case 'AuthorizationError':
    case 'UserAuthenticationExpiredError':
      return 'AUTHENTICATION_FAILED';
    case 'PermissionViolationError':
      return 'PERMISSION_DENIED';
    case 'InvalidArgumentError':
      return error.message.includes('max_payload') ? 'PAYLOAD_TOO_LARGE' : 'INVALID_MESSAGE';
    case 'InvalidSubjectError':
      return 'INVALID_MESSAGE';
    case 'TimeoutError':
      return 'TIMEOUT';
    default:
      return 'CONNECTION_LOST';
  }
}

const advice: Partial<Record<ErrorCode, string>> = {
  AUTHENTICATION_FAILED: 'Check the credentials: they are wrong, expired or revoked.',
  CONNECT_FAILED: 'Check servers, host and port, and that the network lets this function reach them.',
  PERMISSION_DENIED: 'Allow this user the subject, or use another user.',
};

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

interface Shown {
  readonly words?: string;
  readonly hint?: string;
  readonly retryable?: boolean;
}

function toMemphis(code: ErrorCode, attempted: string, cause: Error, shown: Shown = {}): MemphisError {
  const { words = describeError(cause), hint = advice[code], retryable } = shown;
  const text = `Could not ${attempted}: ${words}.${hint === undefined ? '' : ` ${hint}`}`;
  return new MemphisError(code, text, { cause, ...(retryable === undefined ? {} : { retryable }) });
}

/**
 * For an error of an open session. Credentials that have expired or were revoked end it: whether there are others now is
 * for the next dial to say.
 *
 * @param attempted what was tried, as the end of "Could not ..."
 */
export function toMemphisError(error: unknown, attempted: string): MemphisError {
  if (isMemphisError(error)) return error;
  const cause = toError(error);
  const code = codeOf(cause);
  return toMemphis(code === 'AUTHENTICATION_FAILED' ? 'CONNECTION_LOST' : code, attempted, cause);
}

/**
 * For an error while a session was being opened.
 *
 * @param isVerified whether the server's certificate had been found good before
 */
export function toDialError(error: unknown, { server, tls }: DialOptions, isVerified: boolean): MemphisError {
  if (isMemphisError(error)) return error;
  const cause = toError(error);
  const attempted = `connect to ${server}`;
  const trouble = tlsTrouble(cause, tls, isVerified);
  if (trouble !== undefined) return toMemphis('TLS_FAILED', attempted, cause, trouble);
  // frozen or slow in the middle of a dial: these credentials may be good
  const isSlow = /authentication timeout/i.test(cause.message);
  const code = codeOf(cause) === 'AUTHENTICATION_FAILED' && !isSlow ? 'AUTHENTICATION_FAILED' : 'CONNECT_FAILED';
  if (!/undefined error/.test(cause.message)) return toMemphis(code, attempted, cause);
  const firstHint = tls && tls.handshakeFirst !== true ? ' If it speaks TLS first, set tls.handshakeFirst.' : '';
  const words = 'the server hung up without a greeting';
  return toMemphis(code, attempted, cause, { words, hint: `${advice[code]}${firstHint}` });
}

const UNTRUSTED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);
/** Names of X.509 errors: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const OF_CERTIFICATE =
  /^(CERT_|CRL_|UNABLE_TO_|ERROR_IN_CERT_|INVALID_CA$|PATH_LENGTH_|INVALID_PURPOSE$|HOSTNAME_MISMATCH$)/;
const REFUSED = 'The server demands a client certificate or does not accept this one: set tls.cert and tls.key.';

/** @returns nothing when TLS is not what failed */
function tlsTrouble(error: Error, tls: DialOptions['tls'], isVerified: boolean): Shown | undefined {
  const { code = '', reason } = error as { readonly code?: string; readonly reason?: string };
  const words = typeof reason === 'string' ? { words: reason } : {}; // OpenSSL's message is a line of numbers
  if (UNTRUSTED.has(code)) {
    const hint = 'Nobody that is trusted here has signed its certificate: set tls.ca to the authority that has.';
    return { words: `its certificate is not trusted (${code})`, hint };
  }
  if (code === 'CERT_HAS_EXPIRED') return { hint: "Renew the server's certificate." };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return { hint: 'Dial it under a name that its certificate bears, or set tls.serverName to one.' };
  }
  if (OF_CERTIFICATE.test(code)) return { hint: "Put the server's certificate right." };
  if (/ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_|HANDSHAKE_FAILURE)/.test(code)) {
    return { ...words, hint: REFUSED };
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    const isFirst = tls && tls.handshakeFirst === true;
    const hint = isFirst
      ? 'It does not speak TLS first: leave tls.handshakeFirst out.'
      : 'What listens there speaks no TLS.';
    return { words: 'the server answered in clear', hint };
  }
  if (/^ERR_(SSL|TLS|OSSL)_/.test(code) || code === 'EPROTO') {
    return { ...words, hint: 'The server speaks no TLS that Node accepts.' };
  }
  if (error.message.includes("does not support 'tls'")) {
    return { words: 'the server has no TLS', hint: 'Switch TLS on there, or set tls: false to connect in clear.' };
  }
  // told never to use TLS, the client trips over its own options when the server demands it
  if (tls === false && error.cause instanceof TypeError) {
    return { words: 'the server demands TLS', hint: 'Leave tls: false out.' };
  }
  // the refusal of a client certificate is sometimes lost behind the reset; a server that is killed looks the same
  if (isVerified && (code === 'ECONNRESET' || code === 'EPIPE' || error.message.includes('undefined error'))) {
    return { words: 'the server hung up after the TLS handshake', hint: REFUSED, retryable: true };
  }
  return undefined;
}
