/** Failures that nobody else would see, as one JSON line on stderr, which Lambda writes to the function's log. */

import { describeError, isMemphisError } from '../model/errors.ts';

/**
 * Writes one line. Errors of this package never hold payloads or secrets.
 *
 * @param message what was going on
 * @param details more fields; no payloads
 */
export function logError(message: string, error: unknown, details: Readonly<Record<string, unknown>> = {}): void {
  const code = isMemphisError(error) ? { code: error.code } : {};
  console.error(JSON.stringify({ level: 'ERROR', message, ...code, error: describeError(error), ...details }));
}
