/** What `assert.rejects` and `assert.throws` take: one of our errors, of one code. */

import assert from 'node:assert/strict';
import { type ErrorCode, isMemphisError } from '../../src/model/errors.ts';

export function hasCode(expected: ErrorCode): (error: unknown) => true {
  return (error) => {
    assert.ok(isMemphisError(error, expected), `${expected}, not ${String(error)}`);
    return true;
  };
}
