/** What was recorded of schemas (`test/fixtures/schemas`), and the codecs that it is held against. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SchemaCodec } from '../../src/model/schema.ts';
import { avroJsonCodec } from '../../src/schemas/avro.ts';
import { graphqlCodec } from '../../src/schemas/graphql.ts';
import { jsonCodec } from '../../src/schemas/json.ts';
import { protobufCodec } from '../../src/schemas/protobuf.ts';

/** One file of recordings. */
export const readRecorded = <T>(name: string): T =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/schemas', `${name}.json`), 'utf8')) as T;

/** One of each type. */
export const codecs: Readonly<Record<string, SchemaCodec>> = {
  avro: avroJsonCodec,
  graphql: graphqlCodec,
  json: jsonCodec,
  protobuf: protobufCodec,
};
