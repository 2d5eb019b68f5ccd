/** What the official client throws -> our codes. The only place that knows its error names. */

import { describeError, type ErrorCode, isMemphisError, MemphisError } from '../model/errors.ts';

function codeOf({ name, message }: Error): ErrorCode {
  switch (name) {
    case 'PermissionViolationError':
      return 'PERMISSION_DENIED';
    case 'InvalidArgumentError':
      return message.includes('max_payload') ? 'PAYLOAD_TOO_LARGE' : 'INVALID_MESSAGE';
    case 'InvalidSubjectError':
      return 'INVALID_MESSAGE';
    case 'TimeoutError':
      return 'TIMEOUT';
    default:
      return 'CONNECTION_LOST';
  }
}

/** @param attempted what was tried, as the end of "Could not ..." */
export function toMemphisError(error: unknown, attempted: string): MemphisError {
  if (isMemphisError(error)) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = codeOf(cause);
  const hint = code === 'PERMISSION_DENIED' ? ' Allow this user the subject, or use another user.' : '';
  return new MemphisError(code, `Could not ${attempted}: ${describeError(cause)}.${hint}`, { cause });
}
