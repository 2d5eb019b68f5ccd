/** Functions that consume a station, and read one message by a schema: by the bare library, by our codec, by a precompiled schema. */

import type { StationSchema } from '../../src/model/schema.ts';
import { compileSchema } from '../../src/schemas/compile.ts';
import { tableOf } from '../../src/schemas/protobuf.ts';

export interface Contender {
  readonly title: string;
  /** Of the message. */
  readonly type: string;
  /** Its module: exports `handler`, which answers 1. */
  readonly code: string;
}

const fields = {
  id: { type: 'string' },
  total: { type: 'integer' },
  tags: { type: 'array', items: { type: 'string' } },
};
const jsonSource = JSON.stringify({
  type: 'object',
  properties: fields,
  required: ['id'],
  additionalProperties: false,
});
const avroSource = JSON.stringify({
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'total', type: 'long' },
    { name: 'tags', type: { type: 'array', items: 'string' } },
  ],
});
const protoSource = 'syntax = "proto3"; message Order { string id = 1; int64 total = 2; repeated string tags = 3; }';
const graphqlSource = 'type Query { order(id: ID!): Order } type Order { id: ID! total: Int tags: [String] }';

const json = '{"id":"o-1","total":5,"tags":["a","b"]}';
const messages = {
  json: JSON.stringify(json),
  avro: JSON.stringify(json),
  protobuf: JSON.stringify(Buffer.from('0a036f2d3110051a01611a0162', 'hex').toString('latin1')),
  graphql: JSON.stringify('{ order(id: "o-1") { id total } }'),
} as const;

const sources = { json: jsonSource, protobuf: protoSource, avro: avroSource, graphql: graphqlSource } as const;
type Type = keyof typeof sources;

const schemaOf = (type: Type): StationSchema => ({ name: 'order', type, version: 1, source: sources[type] });

/** By the library alone, as its own pages show it. */
const bare: Readonly<Record<Type, readonly [library: string, code: string]>> = {
  json: [
    'ajv',
    `import { Ajv2020 } from 'ajv/dist/2020.js';
     export const handler = async () => (new Ajv2020().compile(${jsonSource})(JSON.parse(text)) ? 1 : 0);`,
  ],
  protobuf: [
    'protobufjs',
    `import protobuf from 'protobufjs';
     const type = () => protobuf.parse(${JSON.stringify(protoSource)}).root.lookupType('Order');
     export const handler = async () => (type().decode(bytes).id === 'o-1' ? 1 : 0);`,
  ],
  avro: [
    'avsc',
    `import avro from 'avsc';
     export const handler = async () => (avro.Type.forSchema(${avroSource}).isValid(JSON.parse(text)) ? 1 : 0);`,
  ],
  graphql: [
    'graphql',
    `import { buildSchema, parse, validate } from 'graphql';
     const schema = () => buildSchema(${JSON.stringify(graphqlSource)});
     export const handler = async () => (validate(schema(), parse(text)).length === 0 ? 1 : 0);`,
  ],
};

/** What all of them are, so that what a schema shares with it is not counted. */
const consumer = `import { withMemphis } from 'memphis-serverless/lambda';
  export const consume = withMemphis(async () => {}, { station: 's', group: 'g' });\n`;

/** @returns all that are measured, the one without a schema first */
export async function makeContenders(): Promise<readonly Contender[]> {
  const contenders: Contender[] = [
    { title: 'no schema', type: '', code: `${consumer}export const handler = async () => 1;` },
  ];
  for (const type of Object.keys(sources) as Type[]) {
    const head = `${consumer}const text = ${messages[type]}; const bytes = Buffer.from(text, '${type === 'protobuf' ? 'latin1' : 'utf8'}');\n`;
    const [library, code] = bare[type];
    // as a broker hands it out: with what was made of it when it was created
    const stored = { ...schemaOf(type), ...(type === 'protobuf' && { prepared: await tableOf(schemaOf(type)) }) };
    const codec = type === 'avro' ? 'avroJsonCodec' : `${type}Codec`;
    const runtime = `import { ${codec} as codec } from 'memphis-serverless/schemas/${type}';
      export const handler = async () => ((await codec.compile(${JSON.stringify(stored)})).decode(bytes) ? 1 : 0);`;
    contenders.push(
      { title: `${type}: ${library} alone`, type, code: `${head}${code}` },
      { title: `${type}: codec`, type, code: `${head}${runtime}` },
    );
    for (const readsOnly of [false, true]) {
      const module = (await compileSchema(schemaOf(type), { readsOnly })).replace('export default', 'const order =');
      contenders.push({
        title: `${type}: precompiled${readsOnly ? ', to read' : ''}`,
        type,
        code: `${head}${module}\nexport const handler = async () => ((await order.open(undefined)).decode(bytes) ? 1 : 0);`,
      });
    }
  }
  return contenders;
}
