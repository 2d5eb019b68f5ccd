/** Messages of JSON Schema by a validator, whatever made that. */

import type { CompiledSchema } from '../model/schema.ts';
import type { SchemaIssue } from '../model/schema-issue.ts';
import { allowSteps } from './json-helpers.ts';
import { type JsonMessage, NotJson, parseJsonBytes, toJsonMessage } from './json-text.ts';
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

/** Writes and reads JSON text, each value checked. @param all made when it is needed, as `checkedJson` has it */
export function validatedJson(name: string, first: Validate, all: () => Validate): CompiledSchema {
  const checked = checkedJson(name, first, all);
  return {
    encode: (message) => checked(() => toJsonMessage(message)).data,
    decode: (data) => checked(() => ({ data, value: parseJsonBytes(data) })).value,
  };
}

/**
 * What makes a message, so that its value is checked.
 *
 * @param name the schema's, for error texts
 * @param first stops at the first thing that is wrong
 * @param all looks on
 */
export function checkedJson(
  name: string,
  first: Validate,
  all: () => Validate,
): (make: () => JsonMessage) => JsonMessage {
  return (make) => {
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
    const every = data.length > ALL_ISSUES_BYTES || found === tooDeep ? found : issuesOf(all(), value, STEPS);
    throw violation(name, every === undefined || every === tooDeep ? found : every);
  };
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
