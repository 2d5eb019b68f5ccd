/** `serverless package` without an AWS account: what the template allows, what the zip files hold, how bundles load. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '../..');
const names = ['consumer', 'fetch-job', 'poller', 'produce-api'] as const;

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

/** The files of a zip archive, from its central directory (APPNOTE.TXT 4.3.12). */
async function filesIn(archive: string): Promise<string[]> {
  const bytes = await readFile(archive);
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  const files: string[] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = bytes.readUInt16LE(at + 28);
    files.push(bytes.toString('utf8', at + 46, at + 46 + nameLength));
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return files;
}

/** An environment without the developer's account. */
function bareEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS|MEMPHIS|NODE|SLS)_/.test(name));
  return { ...Object.fromEntries(kept), SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' };
}

describe('serverless package', () => {
  let folder = '';
  let template: { Resources: Record<string, Resource> };
  const bundle = (name: string): Promise<string> => readFile(path.join(root, 'build', `${name}.cjs`), 'utf8');
  const ofType = (type: string): [string, Resource][] =>
    Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'memphis-package-'));
    const manifest = createRequire(import.meta.url).resolve('serverless/package.json');
    const program = path.join(path.dirname(manifest), 'bin/serverless.js');
    const options = { cwd: root, env: bareEnvironment(), timeout: 60_000 };
    await run(process.execPath, [program, 'package', '--package', folder], options);
    const text = await readFile(path.join(folder, 'cloudformation-template-update-stack.json'), 'utf8');
    template = JSON.parse(text) as typeof template;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('puts one bundle and nothing else into each zip file', async () => {
    const archives = (await readdir(folder)).filter((file) => file.endsWith('.zip')).sort();
    const held = await Promise.all(archives.map((archive) => filesIn(path.join(folder, archive))));
    assert.deepEqual(archives, ['consumer.zip', 'fetchJob.zip', 'poller.zip', 'produceApi.zip']);
    assert.deepEqual(
      held,
      names.map((name) => [`build/${name}.cjs`]),
    );
  });

  it('lets the poller invoke the consumer, and nobody invoke anything else', () => {
    const grants = ofType('AWS::IAM::Role').flatMap(([role, { Properties }]) =>
      (Properties.Policies as { PolicyDocument: { Statement: Record<string, unknown>[] } }[])
        .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
        .map(({ Action, Resource }) => ({ role, actions: [Action].flat().map(String), Resource })),
    );
    const beyondLogs = grants.filter(({ actions }) => actions.some((action) => !action.startsWith('logs:')));
    assert.deepEqual(beyondLogs, [
      {
        role: 'PollerRole',
        actions: ['lambda:InvokeFunction'],
        Resource: { 'Fn::GetAtt': ['ConsumerLambdaFunction', 'Arn'] },
      },
    ]);
  });

  it('gives the consumer neither the address of the broker nor a secret, and nobody a secret in clear', () => {
    const environments = Object.fromEntries(
      ofType('AWS::Lambda::Function').map(([name, { Properties }]) => [
        name,
        (Properties.Environment as { Variables: Record<string, string> }).Variables,
      ]),
    );
    const consumer = environments.ConsumerLambdaFunction ?? {};
    assert.deepEqual(
      Object.keys(consumer).filter((name) => /SERVERS|HOST|TOKEN|PASSWORD/.test(name)),
      [],
    );
    const token = environments.PollerLambdaFunction?.MEMPHIS_CONNECTION_TOKEN;
    assert.match(token ?? '', /^\{\{resolve:secretsmanager:.+\}\}$/);
  });

  it('lets runs of the poller overlap, and repeats no scheduled run', () => {
    const poller = template.Resources.PollerLambdaFunction?.Properties;
    assert.ok(Number(poller?.Timeout) > 60);
    const retries = ofType('AWS::Lambda::EventInvokeConfig').map(
      ([, { Properties }]) => Properties.MaximumRetryAttempts,
    );
    assert.deepEqual(retries, [0, 0]);
  });

  it('leaves the AWS SDK out of what does not invoke functions', async () => {
    for (const name of names) {
      const mentions = (await bundle(name)).includes('@aws-sdk/');
      assert.equal(mentions, name === 'poller', name);
    }
  });

  it('makes bundles that load under the flags of the Lambda runtime and export a handler of two parameters', async () => {
    const code = `for (const name of ${JSON.stringify(names)}) {
      const { handler } = require('./build/' + name + '.cjs');
      console.log(name, typeof handler, handler.length < 3);
    }`;
    const flags = ['--no-experimental-require-module', '--no-experimental-detect-module'];
    const { stdout } = await run(process.execPath, [...flags, '-e', code], { cwd: root, env: bareEnvironment() });
    assert.deepEqual(
      stdout.trim().split('\n'),
      names.map((name) => `${name} function true`),
    );
  });

  it('answers a pushed batch message by message, with no broker to be found', async () => {
    const message = (sequence: number, card: string) => ({
      id: `orders$1:${sequence}`,
      partition: 1,
      sequence,
      deliveryCount: 1,
      timestamp: '2026-01-01T00:00:00.000Z',
      headers: {},
      body: JSON.stringify({ id: `o-${sequence}`, customer: 'a@example.com', amountCents: 100, card }),
      isBase64Encoded: false,
    });
    const event = {
      eventSource: 'memphis',
      eventVersion: '1.0',
      mapping: 'orders-to-billing',
      station: 'orders',
      group: 'billing',
      messages: [message(1, 'tok_visa'), message(2, 'tok_busy_twice'), message(3, 'tok_stolen')],
    };
    const code = `require('./build/consumer.cjs').handler(${JSON.stringify(event)}, { getRemainingTimeInMillis: () => 5000 })
      .then((answer) => console.log(JSON.stringify(answer)))`;
    const { stdout } = await run(process.execPath, ['-e', code], {
      cwd: root,
      env: bareEnvironment(),
      timeout: 10_000,
    });
    const { batchItemFailures } = JSON.parse(stdout) as { batchItemFailures: Record<string, unknown>[] };
    assert.deepEqual(
      batchItemFailures.map(({ itemIdentifier, action, delayMs }) => ({ itemIdentifier, action, delayMs })),
      [
        { itemIdentifier: 'orders$1:2', action: 'retry', delayMs: 250 },
        { itemIdentifier: 'orders$1:3', action: 'deadLetter', delayMs: undefined },
      ],
    );
  });
});
