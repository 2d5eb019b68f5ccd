/** Holds the toolkit to `bench/budgets.ts`: what can be counted, and nothing that a busy machine changes. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  apiBytes,
  bundles,
  costlyModules,
  firstExpressions,
  firstRun,
  noDriverBytes,
  oneDriver,
  schemaFiles,
  trips,
  writes,
} from '../../bench/budgets.ts';
import { measureFirstRun } from '../../bench/first-run/measure.ts';
import { countRoundTrips } from '../../bench/round-trips/count.ts';
import { makeRunner, type Runner } from '../../bench/round-trips/measure.ts';
import { ourVariants } from '../../bench/round-trips/variants.ts';
import { bundle, packagesIn } from '../../bench/support/bundle.ts';
import { countWrites } from '../../bench/support/count-writes.ts';
import { openScene } from '../../bench/support/scene.ts';
import { ours } from '../../bench/support/subjects.ts';

const roles = ['consumer', 'producer'] as const;

for (const role of roles) {
  test(`the bundle of a ${role} is no larger than its budget`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'memphis-serverless-test-'));
    const made = await bundle(ours[role], join(folder, 'bundle.cjs'));
    rmSync(folder, { recursive: true });
    t.diagnostic(`${made.bytes} bytes, of ${bundles[role].bytes}; packages: ${packagesIn(made).join(' ')}`);
    assert.ok(made.bytes <= bundles[role].bytes, `${made.bytes} bytes are more than ${bundles[role].bytes}`);
    const unexpected = packagesIn(made).filter((name) => !bundles[role].packages.includes(name));
    assert.deepEqual(unexpected, []);
    const ofSchemas = /schemas?[./-]|refused|violation|(json|avro|proto|graphql)-/;
    assert.deepEqual(made.inputs.filter((file) => ofSchemas.test(file)).sort(), schemaFiles[role]);
    assert.deepEqual(
      made.imports.filter((name) => !isBuiltin(name)),
      [],
      'asks for packages at run time',
    );
  });
}

for (const role of roles) {
  test(`a ${role} that is bundled with one driver holds nothing of the other one`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'memphis-serverless-test-'));
    const made = await bundle(ours[role], join(folder, 'bundle.cjs'), { driver: 'jetstream' });
    rmSync(folder, { recursive: true });
    t.diagnostic(`${made.bytes} bytes, of ${oneDriver[role]}`);
    assert.ok(made.bytes <= oneDriver[role], `${made.bytes} bytes are more than ${oneDriver[role]}`);
    assert.deepEqual(
      made.inputs.filter((file) => file.includes('brokers/memphis')),
      [],
    );
  });
}

test('a consumer that is bundled without a driver is no larger than its budget', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'memphis-serverless-test-'));
  const { bytes } = await bundle(ours.consumer, join(folder, 'bundle.cjs'), { driver: 'none' });
  rmSync(folder, { recursive: true });
  t.diagnostic(`${bytes} bytes, of ${noDriverBytes}`);
  assert.ok(bytes <= noDriverBytes, `${bytes} bytes are more than ${noDriverBytes}`);
});

test('who only consumes holds nothing of producing, and who only produces nothing of consuming', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'memphis-serverless-test-'));
  const consumer = await bundle(ours.consumer, join(folder, 'consumer.cjs'));
  const api = await bundle('functions/api.ts', join(folder, 'api.cjs'));
  rmSync(folder, { recursive: true });
  t.diagnostic(`produceHandler: ${api.bytes} bytes`);
  assert.ok(api.bytes <= apiBytes, `${api.bytes} bytes are more than ${apiBytes}`);
  const producing = /brokers\/.*(publish|publisher)\.ts$|client\/(dispatch|producing)\.ts$/;
  const consuming = /^src\/batch\/|brokers\/.*(reader|readers|groups?|settle|retries|resends)\.ts$|client\/fetch/;
  const wirePublish = 'src/brokers/jetstream/wire/publish.ts'; // dead letters are stored, too
  assert.deepEqual(
    consumer.inputs.filter((file) => producing.test(file) && file !== wirePublish),
    [],
  );
  assert.deepEqual(
    api.inputs.filter((file) => consuming.test(file)),
    [],
  );
  assert.ok(api.inputs.some((file) => producing.test(file)) && consumer.inputs.some((file) => consuming.test(file)));
});

test('an invocation writes no more often than its budget, and loads nothing that costs', async (t) => {
  await using scene = await openScene();
  for (const role of roles) {
    const budget = writes[role];
    const counted = await countWrites(scene, role, [budget.first, budget.second]);
    const [first, second] = counted.writes;
    t.diagnostic(`${role}: ${first} writes, then ${second}`);
    assert.ok(first <= budget.first, `${role}, first invocation: ${first} writes, not ${budget.first}`);
    assert.ok(second <= budget.second, `${role}, second invocation: ${second} writes, not ${budget.second}`);
    assert.deepEqual(
      counted.modules.filter((name) => costlyModules.includes(name)),
      [],
    );
  }
});

test('no more code and regular expressions run in a first invocation than its budget', async (t) => {
  await using scene = await openScene();
  for (const role of roles) {
    const { ran, expressions } = await measureFirstRun(scene, role);
    const bytes = ran.reduce((sum, one) => sum + one.bytes, 0);
    t.diagnostic(`${role}: ${bytes} bytes, of ${firstRun[role]}`);
    assert.ok(bytes <= firstRun[role], `${role}: ${bytes} bytes are more than ${firstRun[role]}`);
    const words = `${role}: these regular expressions are used:\n${expressions.join('\n')}`;
    assert.ok(expressions.length <= firstExpressions[role], words);
  }
});

describe('round trips of a first invocation', { concurrency: 3 }, () => {
  let runner: Runner;
  before(async () => {
    runner = await makeRunner(ourVariants);
  });
  after(() => runner[Symbol.asyncDispose]());

  for (const variant of ourVariants) {
    const { first, settled, stored } = trips[variant.name];
    test(`${variant.title}: ${first} to the first batch, ${settled} until it is settled, ${stored} to store`, async (t) => {
      const consumed = await countRoundTrips(runner, variant, 'consumer', { first, job: settled });
      const produced = await countRoundTrips(runner, variant, 'producer', { first: stored, job: stored });
      t.diagnostic(`${variant.name}: ${consumed.first}, ${consumed.job}, ${produced.job}`);
      assert.ok(consumed.first <= first, `${consumed.first} round trips to the first batch`);
      assert.ok(consumed.job <= settled, `${consumed.job} round trips until settled`);
      assert.ok(produced.job <= stored, `${produced.job} round trips to store`);
    });
  }
});
