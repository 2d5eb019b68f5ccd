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
import { MAX_TOKENS, readGraphql, writeGraphql } from './graphql-text.ts';

/** Version 17 takes `{ }` for a selection unless it is told not to; 16 never does. */
const strictly: object = { maxTokens: MAX_TOKENS, allowEmptySelectionSets: false };

/** @param name the schema's, for error texts */
export function graphqlCodec(name: string, schema: GraphQLSchema): CompiledSchema {
  const known = namesOf(schema);
  const find = (text: string): readonly SchemaIssue[] => findIssues(schema, known, text);
  return {
    encode: (message) => writeGraphql(name, find, (document) => print(document as DocumentNode), message),
    decode: (data) => readGraphql(name, find, data),
  };
}

function findIssues(schema: GraphQLSchema, known: ReadonlySet<string>, text: string): readonly SchemaIssue[] {
  try {
    const errors = validate(schema, parse(text, strictly), undefined, { maxErrors: 50 });
    return errors.map((error) => ({ path: [], message: withoutValues(error, known) }));
  } catch (error) {
    if (error instanceof RangeError) return [{ path: [], message: 'it is nested too deeply' }];
    if (!(error instanceof GraphQLError)) throw error;
    const isLong = /more than \d+ tokens/.test(error.message);
    const why = isLong ? `it has more than ${MAX_TOKENS} tokens` : 'it is no document of GraphQL';
    return [{ path: [], message: `${why}${placeOf(error)}` }];
  }
}

function placeOf({ locations }: GraphQLError): string {
  const [first] = locations ?? [];
  return first === undefined ? '' : ` (line ${first.line}, column ${first.column})`;
}

/** The library quotes what it found: literals, and names that may be anything. Those of the schema stay. */
function withoutValues(error: GraphQLError, known: ReadonlySet<string>): string {
  const words = error.message
    .replace(/[.,;]? ([Ff]ound:?|got invalid value) .*$/s, '')
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
