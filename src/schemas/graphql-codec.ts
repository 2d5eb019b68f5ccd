/** Operations of GraphQL against a schema: text in, text out. */

import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  parse,
  print,
  validate,
} from 'graphql';
import type { CompiledSchema } from '../model/schema.ts';
import type { SchemaIssue } from '../model/schema-issue.ts';
import { bytesOf } from './json-text.ts';
import { violation, wrongInput } from './violation.ts';

/** More of them could keep the rules of validation busy for seconds. */
const MAX_TOKENS = 4_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @param name the schema's, for error texts */
export function graphqlCodec(name: string, schema: GraphQLSchema): CompiledSchema {
  const known = namesOf(schema);
  const check = (text: string): string => {
    const issues = findIssues(schema, known, text);
    if (issues.length > 0) throw violation(name, issues);
    return text;
  };
  return {
    encode: (message) => {
      const bytes = bytesOf(message);
      if (bytes !== undefined) {
        check(decode(name, bytes));
        return bytes;
      }
      return encoder.encode(check(toText(message)));
    },
    decode: (data) => check(decode(name, data)),
  };
}

function decode(name: string, data: Uint8Array): string {
  try {
    return decoder.decode(data);
  } catch {
    throw violation(name, [{ path: [], message: 'it is not text in UTF-8' }]);
  }
}

function toText(message: unknown): string {
  if (typeof message === 'string') return message;
  const { kind, loc } = (message ?? {}) as Partial<DocumentNode>;
  if (kind !== 'Document') throw wrongInput('A message of GraphQL must be text, bytes or a parsed document.');
  if (loc !== undefined) return loc.source.body;
  try {
    return print(message as DocumentNode);
  } catch (error) {
    throw wrongInput('The document cannot be printed; see the cause.', error);
  }
}

function findIssues(schema: GraphQLSchema, known: ReadonlySet<string>, text: string): readonly SchemaIssue[] {
  try {
    const errors = validate(schema, parse(text, { maxTokens: MAX_TOKENS }), undefined, { maxErrors: 50 });
    return errors.map((error) => ({ path: [], message: withoutValues(error, known) }));
  } catch (error) {
    if (error instanceof RangeError) return [{ path: [], message: 'it is nested too deeply' }];
    if (!(error instanceof GraphQLError)) throw error;
    const isLong = /more than \d+ tokens/.test(error.message);
    const why = isLong ? `it has more than ${MAX_TOKENS} tokens` : 'it is no document of GraphQL';
    return [{ path: [], message: `${why}${placeOf(error)}` }];
  }
}

const placeOf = ({ locations }: GraphQLError): string => {
  const [first] = locations ?? [];
  return first === undefined ? '' : ` (line ${first.line}, column ${first.column})`;
};

/** The library quotes what it found: literals, and names that may be anything. Those of the schema stay. */
function withoutValues(error: GraphQLError, known: ReadonlySet<string>): string {
  const words = error.message
    .replace(/,? (found|got invalid value) .*$/s, '')
    .replace(/(value|literal): .*$/s, '$1')
    .replace(/"([^"]*)"/g, (quoted, inner: string) =>
      inner.split(/[.()@:[\]! ]+/).every((word) => known.has(word)) ? quoted : '(name)',
    );
  return `${words}${placeOf(error)}`;
}

function namesOf(schema: GraphQLSchema): ReadonlySet<string> {
  const names = new Set(['']);
  for (const directive of schema.getDirectives()) {
    names.add(directive.name);
    for (const arg of directive.args) names.add(arg.name);
  }
  for (const type of Object.values(schema.getTypeMap())) {
    names.add(type.name);
    if (isEnumType(type)) for (const value of type.getValues()) names.add(value.name);
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      names.add(field.name);
      if ('args' in field) for (const arg of field.args) names.add(arg.name);
    }
  }
  return names;
}
