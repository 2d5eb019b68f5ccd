/**
 * Consumes and stores again and again, and prints how many bytes of each message the collections of young objects did not
 * free. A process of its own: a test runner follows all promises, and so holds on to what they hold.
 * Its argument is the address of a broker with a station `orders`.
 */

import { Session } from 'node:inspector/promises';
import { withMemphis, withProducer } from '../../src/lambda/index.ts';
import { makeContext } from '../../src/testing/make-context.ts';

const BATCH = 20;
const ROUNDS = 600;

type Node = { readonly selfSize: number; readonly children: readonly Node[] };
const sizeOf = ({ selfSize, children }: Node): number => children.reduce((sum, child) => sum + sizeOf(child), selfSize);

/** The best of some: a machine that is busy collects at other moments, and then finds more that still lives. */
async function leftBehind(call: () => Promise<unknown>): Promise<number> {
  const found: number[] = [];
  for (let tries = 0; tries < 4; tries++) found.push(await sample(call));
  return Math.min(...found);
}

/** By a sample of what was allocated. */
async function sample(call: () => Promise<unknown>): Promise<number> {
  for (let round = 0; round < 100; round++) await call(); // what is made once is made
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 2_048,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: false,
  });
  for (let round = 0; round < ROUNDS; round++) await call();
  const { profile } = await session.post('HeapProfiler.stopSampling');
  session.disconnect();
  return Math.round(sizeOf(profile.head) / ROUNDS / BATCH);
}

const servers = [process.argv[2] ?? ''];
const payloads = Array.from({ length: BATCH }, (_, index) => `{"order":${index}}`);
const produce = withProducer(async (_: unknown, { memphis }) => memphis.produceBatch('orders', payloads), {
  servers,
  station: 'orders',
});
const consume = withMemphis(async () => {}, { servers, station: 'orders', group: 'g', batchSize: BATCH });

const context = makeContext({ timeoutMs: 600_000 });
const stored = await leftBehind(() => produce({}, makeContext({ timeoutMs: 600_000 })));
const consumed = await leftBehind(() => consume({}, context));
process.stdout.write(JSON.stringify({ stored, consumed }), () => process.exit(0));
