/**
 * What the official conformance runner of protobuf talks to: the codec, behind frames on stdin and stdout. The argument
 * is the folder of the definitions that come with the runner.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CompiledSchema } from '../../src/model/schema.ts';
import { protobufCodec } from '../../src/schemas/protobuf.ts';

interface Request {
  readonly messageType: string;
  readonly requestedOutputFormat: string;
  readonly protobufPayload?: Uint8Array;
  readonly jsonPayload?: string;
}

const [, , definitions = ''] = process.argv;
const messages: Readonly<Record<string, string>> = {
  'protobuf_test_messages.proto3.TestAllTypesProto3': 'test_messages_proto3',
  'protobuf_test_messages.proto2.TestAllTypesProto2': 'test_messages_proto2',
  'protobuf_test_messages.editions.proto3.TestAllTypesProto3': 'test_messages_proto3_editions',
  'protobuf_test_messages.editions.proto2.TestAllTypesProto2': 'test_messages_proto2_editions',
  'protobuf_test_messages.editions.TestAllTypesEdition2023': 'test_messages_edition2023',
};

async function compile(file: string, messageName: string): Promise<CompiledSchema> {
  const source = readFileSync(join(definitions, `${file}.proto`), 'utf8');
  return protobufCodec.compile({ name: 's', type: 'protobuf', version: 1, source, messageName });
}

const requests = await compile('conformance/conformance', 'conformance.ConformanceRequest');
const responses = await compile('conformance/conformance', 'conformance.ConformanceResponse');
const codecs = new Map<string, CompiledSchema>();
for (const [name, file] of Object.entries(messages)) codecs.set(name, await compile(`google/protobuf/${file}`, name));

function answerTo({ messageType, requestedOutputFormat, protobufPayload, jsonPayload }: Request): object {
  if (messageType === 'conformance.FailureSet') return { protobufPayload: new Uint8Array() };
  if (requestedOutputFormat !== 'PROTOBUF') return { skipped: 'a codec writes protobuf alone' };
  const codec = codecs.get(messageType);
  if (codec === undefined) return { skipped: 'no such message' };
  let value: unknown;
  try {
    if (protobufPayload !== undefined) value = codec.decode(protobufPayload);
    else if (jsonPayload !== undefined) value = JSON.parse(jsonPayload);
    else return { skipped: 'a codec reads protobuf and objects' };
    return { protobufPayload: codec.encode(value) };
  } catch (error) {
    return { [protobufPayload === undefined || value === undefined ? 'parseError' : 'serializeError']: String(error) };
  }
}

let rest: Buffer = Buffer.alloc(0);
for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
  rest = Buffer.concat([rest, chunk]);
  while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE(0)) {
    const end = 4 + rest.readUInt32LE(0);
    const answer = await responses.encode(answerTo(requests.decode(rest.subarray(4, end)) as Request));
    rest = rest.subarray(end);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(answer.length);
    process.stdout.write(Buffer.concat([length, answer]));
  }
}
