/** The errors that codecs throw. */

import { MemphisError } from '../model/errors.ts';
import type { SchemaIssue } from '../model/schema-issue.ts';

/** More are of no use to anybody, and an error has a size. */
export const MAX_ISSUES = 50;
const MAX_STEPS = 100;
const MAX_STEP_LENGTH = 200;
const MAX_MESSAGE_LENGTH = 300;

/** A path as people read it: `items[2].price`. */
function showPath(path: readonly (string | number)[]): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('')
    .slice(0, 200);
}

/** @param schema its name, for the text */
export function violation(schema: string, found: readonly SchemaIssue[]): MemphisError {
  const issues = found.slice(0, MAX_ISSUES).map(({ path, message }) => ({
    path: path.slice(0, MAX_STEPS).map((step) => (typeof step === 'number' ? step : step.slice(0, MAX_STEP_LENGTH))),
    message: message.slice(0, MAX_MESSAGE_LENGTH),
  }));
  const [first] = issues;
  const where = first === undefined || first.path.length === 0 ? '' : ` at ${showPath(first.path)}`;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return new MemphisError(
    'SCHEMA_VIOLATION',
    `The message does not satisfy schema ${schema}${where}: ${first?.message ?? 'it is not valid'}${more}`,
    { issues },
  );
}

export function wrongInput(why: string, cause?: unknown): MemphisError {
  return new MemphisError('INVALID_MESSAGE', why, cause === undefined ? {} : { cause });
}
