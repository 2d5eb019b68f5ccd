/** Which SDKs of Memphis cannot work with a schema, told when it is made (memphis-wire 7.3). Pure. */

import { isRecord } from '../model/fields.ts';
import type { SchemaType } from '../model/schema.ts';

type Node = Readonly<Record<string, unknown>>;

/** @returns a sentence for each SDK that it concerns; nothing where all can read and write it */
export function limitsOf(type: SchemaType, source: string): readonly string[] {
  switch (type) {
    case 'json':
      return limitsOfJson(parse(source));
    case 'avro':
      return limitsOfAvro(parse(source));
    case 'protobuf':
      return [
        'The Python SDK reads and writes binary messages only where they happen to be valid UTF-8, and none with protobuf 5 or later.',
      ];
    case 'graphql':
      return ['The Go SDK refuses operations with variables that are required.'];
  }
}

function parse(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined; // a type's bare name
  }
}

/** What the JavaScript SDK knows; anything else keeps it from making producers and consumers. */
const keywords = new Set(
  (
    '$schema $id id $ref $comment $anchor $defs definitions title description default examples readOnly writeOnly deprecated ' +
    'type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern format ' +
    'items additionalItems prefixItems maxItems minItems uniqueItems contains maxContains minContains maxProperties minProperties ' +
    'required properties patternProperties additionalProperties dependencies dependentRequired dependentSchemas propertyNames ' +
    'if then else allOf anyOf oneOf not contentEncoding contentMediaType unevaluatedItems unevaluatedProperties'
  ).split(' '),
);
/** Of these the values are schemas by name. */
const maps = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'] as const;
/** Of these the values are schemas, or lists of them. */
const inner =
  'items additionalItems prefixItems contains additionalProperties propertyNames if then else allOf anyOf oneOf not unevaluatedItems unevaluatedProperties'.split(
    ' ',
  );
/** Those that the JavaScript SDK knows. */
const formats = new Set(
  'date time date-time duration uri uri-reference uri-template url email hostname ipv4 ipv6 regex uuid json-pointer relative-json-pointer byte int32 int64 float double password binary'.split(
    ' ',
  ),
);

function limitsOfJson(schema: unknown): string[] {
  const dialect = isRecord(schema) && typeof schema.$schema === 'string' ? schema.$schema : '';
  const why: string[] = [];
  const found = { keyword: false, format: false, unknownFormat: false };
  walkJson(schema, found, 0);
  if (/draft-06|2019-09/.test(dialect)) why.push('this dialect');
  if (found.keyword) why.push('keywords that are its own');
  if (found.unknownFormat || (found.format && /draft-04|2020-12/.test(dialect))) why.push('formats');
  const limits =
    why.length === 0
      ? []
      : [`The JavaScript SDK makes neither producers nor consumers for a schema with ${why.join(' and ')}.`];
  if (found.format) limits.push('Formats are checked by some SDKs and not by others.');
  const type = isRecord(schema) ? schema.type : undefined;
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  if (type !== undefined && !types.includes('object')) limits.push('The Go SDK reads objects alone.');
  return limits;
}

function walkJson(
  schema: unknown,
  found: { keyword: boolean; format: boolean; unknownFormat: boolean },
  depth: number,
): void {
  if (depth > 100) return;
  if (Array.isArray(schema)) for (const one of schema) walkJson(one, found, depth + 1);
  if (!isRecord(schema)) return;
  if (Object.keys(schema).some((key) => !keywords.has(key))) found.keyword = true;
  if (typeof schema.format === 'string') {
    found.format = true;
    if (!formats.has(schema.format)) found.unknownFormat = true;
  }
  for (const key of inner) if (key in schema) walkJson(schema[key], found, depth + 1);
  for (const key of maps) {
    const map = schema[key];
    if (isRecord(map)) for (const one of Object.values(map)) walkJson(one, found, depth + 1);
  }
}

function limitsOfAvro(schema: unknown): string[] {
  const names = new Set<string>();
  const hasUnion = walkAvro(schema, names, 0);
  const limits: string[] = [];
  if (['int', 'long', 'float'].some((name) => names.has(name))) {
    limits.push('The Go SDK reads no message of a schema with int, long or float, and writes them from structs only.');
  }
  if (hasUnion) {
    limits.push(
      'Values of unions other than null are read by the JavaScript SDK when they are wrapped, by the Python SDK when they are bare.',
    );
  }
  if (names.has('bytes') || names.has('fixed')) limits.push('No SDK takes bytes, fixed or decimal.');
  return limits;
}

/** @returns whether there is a union with a branch other than null */
function walkAvro(schema: unknown, names: Set<string>, depth: number): boolean {
  if (depth > 100) return false;
  if (typeof schema === 'string') names.add(schema);
  if (Array.isArray(schema)) {
    const isUnion = schema.some((one) => one !== 'null');
    return schema.map((one) => walkAvro(one, names, depth + 1)).includes(true) || isUnion;
  }
  if (!isRecord(schema)) return false;
  const { type, items, values, fields } = schema as Node;
  const parts = [
    type,
    items,
    values,
    ...(Array.isArray(fields) ? fields.map((field: unknown) => (isRecord(field) ? field.type : undefined)) : []),
  ];
  return parts.map((part) => walkAvro(part, names, depth + 1)).includes(true);
}
