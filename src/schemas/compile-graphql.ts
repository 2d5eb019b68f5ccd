/** The text of a GraphQL schema -> the table by which precompiled modules check operations. For build time. */

import {
  assertValidSchema,
  buildSchema,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { MemphisError } from '../model/errors.ts';
import { standard } from './graphql-standard.ts';
import type { DirectiveRow, GraphqlTable, Inputs, TypeRow } from './graphql-table.ts';

/** @throws Error what is no schema of a service; MemphisError `UNSUPPORTED` for directives whose rules are not precompiled */
export function graphqlTable(source: string): GraphqlTable {
  const schema = buildSchema(source);
  assertValidSchema(schema);
  const roots = {
    query: schema.getQueryType()?.name,
    mutation: schema.getMutationType()?.name,
    subscription: schema.getSubscriptionType()?.name,
  };
  const types = Object.values(schema.getTypeMap()).map((type) => [type.name, rowOf(schema, type)] as const);
  const directives = schema.getDirectives().map(({ name, locations, args, isRepeatable }) => {
    if (name === 'defer' || name === 'stream') {
      const why = `Schemas with the directive @${name} are not precompiled: import 'memphis-serverless/schemas/graphql' in its place.`;
      throw new MemphisError('UNSUPPORTED', why);
    }
    const row: DirectiveRow = { on: locations, args: inputsOf(args), ...(isRepeatable && { isRepeatable: true }) };
    return [name, row] as const;
  });
  const usual = standard();
  return {
    roots: JSON.parse(JSON.stringify(roots)) as GraphqlTable['roots'], // without those that it lacks
    types: Object.fromEntries(types.filter(isNews(usual.types))),
    directives: Object.fromEntries(
      directives.filter(isNews(usual.directives)).filter(([, { on }]) => on.some(isOfOperations)),
    ),
  };
}

/** Whether a row says something that modules do not know without it. */
const isNews =
  (usual: Readonly<Record<string, unknown>>) =>
  ([name, row]: readonly [string, unknown]): boolean =>
    JSON.stringify(usual[name]) !== JSON.stringify(row);

/** Other directives are none that operations can have. */
function isOfOperations(location: string): boolean {
  return /^(QUERY|MUTATION|SUBSCRIPTION|FIELD|FRAGMENT_DEFINITION|FRAGMENT_SPREAD|INLINE_FRAGMENT|VARIABLE_DEFINITION)$/.test(
    location,
  );
}

function rowOf(schema: GraphQLSchema, type: GraphQLNamedType): TypeRow {
  if (isObjectType(type) || isInterfaceType(type)) {
    const fields = Object.fromEntries(
      Object.values(type.getFields()).map(({ name, type: of, args }) => [
        name,
        args.length === 0 ? ([String(of)] as const) : ([String(of), inputsOf(args)] as const),
      ]),
    );
    if (isObjectType(type)) return { kind: 'object', fields };
    const { objects, interfaces } = schema.getImplementations(type);
    return { kind: 'interface', fields, objects: objects.map(nameOf), interfaces: interfaces.map(nameOf) };
  }
  if (isUnionType(type)) return { kind: 'union', objects: type.getTypes().map(nameOf) };
  if (isEnumType(type)) return { kind: 'enum', values: type.getValues().map(nameOf) };
  if (isInputObjectType(type)) {
    const inputs = inputsOf(Object.values(type.getFields()));
    return { kind: 'input', inputs, ...(type.isOneOf && { isOneOf: true }) };
  }
  return { kind: 'scalar' };
}

interface Input {
  readonly name: string;
  readonly type: GraphQLInputType;
  readonly defaultValue?: unknown;
  /** Since version 17 beside the one above. */
  readonly default?: unknown;
}

function inputsOf(inputs: readonly Input[]): Inputs {
  return Object.fromEntries(
    inputs.map((input) => {
      const hasDefault = input.default !== undefined || input.defaultValue !== undefined;
      return [input.name, `${input.type}${hasDefault ? '=' : ''}`];
    }),
  );
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}
