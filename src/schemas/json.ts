/**
 * "./schemas/json": JSON Schema by ajv, dialect by `$schema`. Importing it registers the codec.
 *
 * @module
 */

import type { ErrorObject, ValidateFunction } from 'ajv';
import type { CompiledSchema, SchemaCodec, StationSchema } from '../model/schema.ts';
import type { SchemaIssue } from '../model/schema-issue.ts';
import { makeAjv } from './json-dialects.ts';
import { NotJson, parseJsonBytes, toJsonMessage } from './json-text.ts';
import { CodecReader, registerCodec } from './reader.ts';
import { violation } from './violation.ts';

/** Messages up to this size are looked through for everything that is wrong; of larger ones the first is told. */
const ALL_ISSUES_BYTES = 65_536;

function compile({ name, source }: StationSchema): CompiledSchema {
  const schema: unknown = JSON.parse(source);
  const first = makeAjv(schema, false);
  let all: ValidateFunction | undefined;
  const check = (value: unknown, bytes: number): void => {
    const found = issuesOf(first, value);
    if (found === undefined) return;
    if (bytes > ALL_ISSUES_BYTES) throw violation(name, found);
    all ??= makeAjv(schema, true);
    throw violation(name, issuesOf(all, value) ?? found);
  };
  return checkedJson(name, check);
}

/** Writes and reads JSON text, each value checked. */
export function checkedJson(name: string, check: (value: unknown, bytes: number) => void): CompiledSchema {
  const orViolation = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof NotJson)) throw error;
      throw violation(name, [{ path: [], message: error.message }]);
    }
  };
  return {
    encode: (message) => {
      const { data, value } = orViolation(() => toJsonMessage(message));
      check(value, data.length);
      return data;
    },
    decode: (data) => {
      const value = orViolation(() => parseJsonBytes(data));
      check(value, data.length);
      return value;
    },
  };
}

/** What is wrong with a value; nothing where it fits. */
export function issuesOf(
  validate: ((value: unknown) => unknown) & { errors?: readonly ErrorObject[] | null },
  value: unknown,
): SchemaIssue[] | undefined {
  try {
    if (validate(value) === true) return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [{ path: [], message: 'it is nested too deeply' }];
  }
  return (validate.errors ?? []).map(toIssue);
}

function toIssue({ instancePath, keyword, params, message = 'is not valid' }: ErrorObject): SchemaIssue {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d{1,9}$/.test(step) ? Number(step) : step));
  const extra: unknown = params.additionalProperty ?? params.unevaluatedProperty;
  const isExtra = /^(additional|unevaluated)Properties$/.test(keyword) && typeof extra === 'string';
  return { path: isExtra ? [...path, extra] : path, message };
}

/** The codec of JSON Schema. */
export const jsonCodec: SchemaCodec = { type: 'json', compile };

/** For the option `schema`, where a bare import is not wanted. */
export const json: CodecReader = new CodecReader(jsonCodec);

registerCodec(jsonCodec);
