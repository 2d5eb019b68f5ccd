/** What a bundle of each entry holds: bundlers copy dynamic imports in, so laziness keeps nothing out. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { functionBundle } from '../../bench/support/function-bundle.ts';

const root = join(import.meta.dirname, '../..');

async function inputsOf(
  contents: string,
  define: Readonly<Record<string, string>> = {},
): Promise<{ readonly inputs: readonly string[]; readonly bytes: number }> {
  const { metafile, outputFiles } = await build({
    ...functionBundle,
    stdin: { contents, resolveDir: root, loader: 'ts' },
    write: false,
    metafile: true,
    external: ['@aws-sdk/*', '@smithy/*'],
    define,
  });
  const [output] = Object.values(metafile.outputs);
  const inside = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const imported = (output?.imports ?? []).map(({ path }) => path);
  return { inputs: [...inside.map(([path]) => path), ...imported], bytes: outputFiles[0]?.contents.length ?? 0 };
}

const entries: readonly (readonly [name: string, contents: string, forbidden: RegExp, needed: RegExp])[] = [
  [
    './lambda, a consumer',
    `import { withMemphis } from 'memphis-serverless/lambda'; export const handler = withMemphis(async () => {}, { station: 's', group: 'g' });`,
    /@nats-io|@aws-sdk|src\/poller\/|src\/testing\/|(jetstream|memphis)\/(admin|schema-store|schema-watch|schemas)\.ts|client\/(client|station|connect)\.ts|serverless-offline|valibot|ajv|re2js|protobufjs|graphql|avsc|src\/schemas\/(?!registry|standard-issues)/,
    /lambda\/with-memphis\.ts/,
  ],
  [
    './lambda, a producer',
    `import { produceHandler } from 'memphis-serverless/lambda'; export const handler = produceHandler({ station: 's' });`,
    /@nats-io|@aws-sdk|src\/poller\/|src\/testing\/|(jetstream|memphis)\/(admin|schema-store|schema-watch|schemas)\.ts|client\/(client|station|connect)\.ts|serverless-offline|valibot|ajv|re2js|protobufjs|graphql|avsc|src\/schemas\/(?!registry|standard-issues)/,
    /lambda\/produce-handler\.ts/,
  ],
  [
    './middy, a consumer',
    `import { memphisConsumer } from 'memphis-serverless/middy'; export const middleware = memphisConsumer({ station: 's', group: 'g' });`,
    /@nats-io|@aws-sdk|src\/poller\/|src\/testing\/|(jetstream|memphis)\/(admin|schema-store|schema-watch|schemas)\.ts|client\/(client|station|connect)\.ts|@middy|middy6|memphis-producer|producer-tools|ajv|re2js|protobufjs|graphql|avsc|src\/schemas\/(?!registry|standard-issues)/,
    /middy\/memphis-consumer\.ts/,
  ],
  [
    './middy, a producer',
    `import { memphisProducer } from 'memphis-serverless/middy'; export const middleware = memphisProducer({ station: 's' });`,
    /@nats-io|@aws-sdk|src\/poller\/|src\/testing\/|(jetstream|memphis)\/(admin|schema-store|schema-watch|schemas)\.ts|client\/(client|station|connect)\.ts|@middy|middy6|memphis-consumer|pull-invocation|ajv|re2js|protobufjs|graphql|avsc|src\/schemas\/(?!registry|standard-issues)/,
    /middy\/memphis-producer\.ts/,
  ],
  [
    './poller',
    `import { pollerHandler } from 'memphis-serverless/poller'; export const handler = pollerHandler({ mappings: [] });`,
    /@nats-io|(jetstream|memphis)\/(admin|schema-store|schema-watch|schemas)\.ts|client\/(client|station|connect)\.ts|src\/testing\/|ajv|re2js|protobufjs|graphql|avsc|src\/schemas\/(?!registry|standard-issues)/,
    /src\/poller\//,
  ],
  [
    './lambda, a consumer of JSON Schema',
    `import 'memphis-serverless/schemas/json'; import { withMemphis } from 'memphis-serverless/lambda'; export const handler = withMemphis(async () => {}, { station: 's', group: 'g' });`,
    /protobufjs|graphql|avsc|jetstream\/(admin|schema-store|schema-watch)\.ts/,
    /schemas\/json\.ts/,
  ],
  [
    './lambda, a consumer of protobuf',
    `import 'memphis-serverless/schemas/protobuf'; import { withMemphis } from 'memphis-serverless/lambda'; export const handler = withMemphis(async () => {}, { station: 's', group: 'g' });`,
    /protobufjs|graphql|ajv|re2js|avsc|jetstream\/(admin|schema-store|schema-watch)\.ts/,
    /schemas\/proto-decode\.ts/,
  ],
  [
    './lambda, a consumer of Avro',
    `import 'memphis-serverless/schemas/avro'; import { withMemphis } from 'memphis-serverless/lambda'; export const handler = withMemphis(async () => {}, { station: 's', group: 'g' });`,
    /protobufjs|graphql|ajv|re2js|avsc|jetstream\/(admin|schema-store|schema-watch)\.ts/,
    /schemas\/avro-values\.ts/,
  ],
  [
    '. (the client)',
    `import { connect } from 'memphis-serverless'; export { connect };`,
    /@nats-io|@aws-sdk|src\/poller\/|src\/testing\/|src\/lambda\/|ajv|re2js|protobufjs|graphql|avsc|src\/schemas\/(?!registry|standard-issues|look-up)/,
    /client\/connect\.ts/,
  ],
];

for (const [name, contents, forbidden, needed] of entries) {
  test(`a bundle of ${name} holds what was asked for and nothing else`, async (t) => {
    const { inputs, bytes } = await inputsOf(contents);
    assert.ok(
      inputs.some((path) => needed.test(path)),
      'holds what it is for',
    );
    assert.deepEqual(
      inputs.filter((path) => forbidden.test(path)),
      [],
    );
    t.diagnostic(`${name}: ${(bytes / 1024).toFixed(1)} KiB minified`);
  });
}

for (const name of ['./lambda, a consumer', './middy, a consumer']) {
  test(`a bundle of ${name} without a driver holds nothing that connects`, async () => {
    const contents = entries.find(([one]) => one === name)?.[1] ?? '';
    const connecting = /^src\/(brokers|client|connection|nats)\//;
    const whole = await inputsOf(contents);
    const { inputs } = await inputsOf(contents, { 'process.env.MEMPHIS_DRIVER': '"none"' });
    assert.ok(whole.inputs.some((path) => connecting.test(path)));
    assert.deepEqual(
      inputs.filter((path) => connecting.test(path)),
      [],
    );
  });
}
