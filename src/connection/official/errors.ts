/** What the official client throws -> our codes. The only place that knows its error names. */

import { describeError, type ErrorCode, isMemphisError, MemphisError } from '../../model/errors.ts';

function codeOf(error: Error, dialling: boolean): ErrorCode {
  switch (error.name) {
    case 'AuthorizationError':
    case 'UserAuthenticationExpiredError':
      return 'AUTHENTICATION_FAILED';
    case 'PermissionViolationError':
      return 'PERMISSION_DENIED';
    case 'InvalidArgumentError':
    case 'InvalidSubjectError':
      return 'INVALID_MESSAGE';
    case 'TimeoutError':
      return dialling ? 'CONNECT_FAILED' : 'TIMEOUT';
    default:
      return dialling ? 'CONNECT_FAILED' : 'CONNECTION_LOST';
  }
}

const advice: Partial<Record<ErrorCode, string>> = {
  AUTHENTICATION_FAILED: 'Check username and password, or the token.',
  CONNECT_FAILED: 'Check servers, host and port, and that the network lets this function reach them.',
  PERMISSION_DENIED: 'Allow this user the subject, or use another user.',
};

/**
 * @param attempted what was tried, as the end of "Could not ..."
 * @param dialling whether the session was being opened
 */
export function toMemphisError(error: unknown, attempted: string, dialling: boolean): MemphisError {
  if (isMemphisError(error)) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = codeOf(cause, dialling);
  const hint = advice[code];
  const words = hint === undefined ? '' : ` ${hint}`;
  return new MemphisError(code, `Could not ${attempted}: ${describeError(cause)}.${words}`, { cause });
}
