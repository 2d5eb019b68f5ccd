/** What every schema of GraphQL has: the types that describe it, and the directives of operations. Tables leave it out. */

import type { GraphqlTable, TypeRow } from './graphql-table.ts';

/** By name: fields with their types, and `:*` where they have an argument; or the values of an enum. Text, since each start of a function reads it. */
const standardTypes = `Schema description:String types:[__Type!]! queryType:__Type! mutationType:__Type subscriptionType:__Type directives:[__Directive!]!:*
Type kind:__TypeKind! name:String description:String specifiedByURL:String fields:[__Field!]:* interfaces:[__Type!] possibleTypes:[__Type!] enumValues:[__EnumValue!]:* inputFields:[__InputValue!]:* ofType:__Type isOneOf:Boolean
Field name:String! description:String args:[__InputValue!]!:* type:__Type! isDeprecated:Boolean! deprecationReason:String
InputValue name:String! description:String type:__Type! defaultValue:String isDeprecated:Boolean! deprecationReason:String
EnumValue name:String! description:String isDeprecated:Boolean! deprecationReason:String
Directive name:String! description:String isRepeatable:Boolean! locations:[__DirectiveLocation!]! args:[__InputValue!]!:* isDeprecated:Boolean! deprecationReason:String
TypeKind SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL
DirectiveLocation QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION FRAGMENT_VARIABLE_DEFINITION SCHEMA SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION DIRECTIVE_DEFINITION`;

/** As the package `graphql` has it in version 17. */
export function standard(): Pick<GraphqlTable, 'types' | 'directives'> {
  const types: Record<string, TypeRow> = {};
  for (const line of standardTypes.split('\n')) {
    const [name, ...values] = line.split(' ');
    const fields = values.map((field) => {
      const [called, type = '', argument] = field.split(':');
      return [called, argument === undefined ? [type] : [type, { includeDeprecated: 'Boolean!=' }]] as const;
    });
    types[`__${name}`] = line.includes(':')
      ? { kind: 'object', fields: Object.fromEntries(fields) }
      : { kind: 'enum', values };
  }
  const conditional = { on: ['FIELD', 'FRAGMENT_SPREAD', 'INLINE_FRAGMENT'], args: { if: 'Boolean!' } };
  return { types, directives: { include: conditional, skip: conditional } };
}

const whole = new WeakMap<GraphqlTable, GraphqlTable>();

/** A table with all that it leaves out; what it says itself counts. */
export function completed(table: GraphqlTable): GraphqlTable {
  let found = whole.get(table);
  if (found === undefined) {
    const { types, directives } = standard();
    found = { ...table, types: { ...types, ...table.types }, directives: { ...directives, ...table.directives } };
    whole.set(table, found);
  }
  return found;
}
