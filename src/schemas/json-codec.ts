/** Messages of JSON Schema by a validator, whatever made that. */

import type { SchemaIssue } from '../model/schema-issue.ts';
import { allowSteps } from './json-helpers.ts';
import { type JsonMessage, NotJson, parseJsonBytes, toJsonMessage } from './json-text.ts';
import { readUtf8 } from './utf8.ts';
import { MAX_ISSUES, violation } from './violation.ts';

/** Messages up to this size are looked through for everything that is wrong; of larger ones the first is told. */
const ALL_ISSUES_BYTES = 65_536;

/** How often a schema's references are followed for one message: more than any needs whose alternatives do not multiply. */
const STEPS = 50_000;
const STEPS_A_BYTE = 20;

const tooDeep: readonly SchemaIssue[] = [{ path: [], message: 'it is nested too deeply' }];

/** One thing that is wrong, as ajv tells it. */
interface Failure {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/** A validator as ajv makes it. */
export type Validate = ((value: unknown) => unknown) & { readonly errors?: readonly Failure[] | null };

/** The validators of one schema. */
export interface Checks {
  /** The schema's name, for error texts. */
  readonly name: string;
  /** Stops at the first thing that is wrong. */
  readonly first: Validate;
  /** Makes what looks on. */
  readonly makeAll: () => Validate;
  all?: Validate;
}

/** @throws MemphisError `INVALID_MESSAGE`, `SCHEMA_VIOLATION` */
export function writeJson(checks: Checks, message: unknown): Uint8Array {
  return checked(checks, () => toJsonMessage(message)).data;
}

/** @throws MemphisError `SCHEMA_VIOLATION` */
export function readJson(checks: Checks, data: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(readUtf8(data));
    allowSteps(STEPS + data.length * STEPS_A_BYTE);
    if (checks.first(value) === true) return value;
  } catch {
    // no JSON, or too many steps: judged once more below, where each has its words, by functions that no good message pays for
  }
  return checked(checks, () => ({ data, value: parseJsonBytes(data) })).value;
}

/** @param make what makes a message, so that its value is checked */
function checked(checks: Checks, make: () => JsonMessage): JsonMessage {
  const { name, first, makeAll } = checks;
  let message: JsonMessage;
  try {
    message = make();
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    throw violation(name, [{ path: [], message: error.message }]);
  }
  const { data, value } = message;
  const found = issuesOf(first, value, STEPS + data.length * STEPS_A_BYTE);
  if (found === undefined) return message;
  if (data.length > ALL_ISSUES_BYTES || found === tooDeep) throw violation(name, found);
  checks.all ??= makeAll();
  const every = issuesOf(checks.all, value, STEPS);
  throw violation(name, every === undefined || every === tooDeep ? found : every);
}

/** What is wrong with a value; nothing where it fits. */
function issuesOf(validate: Validate, value: unknown, steps: number): readonly SchemaIssue[] | undefined {
  allowSteps(steps);
  try {
    if (validate(value) === true) return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return tooDeep;
  }
  return (validate.errors ?? []).slice(0, MAX_ISSUES).map(toIssue); // of nested alternatives there may be thousands
}

function toIssue({ instancePath, keyword, params, message = 'is not valid' }: Failure): SchemaIssue {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d{1,9}$/.test(step) ? Number(step) : step));
  const extra = params.additionalProperty ?? params.unevaluatedProperty;
  const isExtra = /^(additional|unevaluated)Properties$/.test(keyword) && typeof extra === 'string';
  return { path: isExtra ? [...path, extra] : path, message };
}
