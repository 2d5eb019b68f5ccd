/** Whether options of `connect` are good for work, or fail as they should. */

import assert from 'node:assert/strict';
import { type ConnectOptions, connect, isMemphisError, type MemphisError } from '../../src/index.ts';

/** Produces and fetches one message: good for more than a greeting. With TLS stated, also where the first words are ours. */
export async function works(options: ConnectOptions): Promise<void> {
  await worksAs(options);
  if (options.tls !== undefined) await worksAs({ ...options, broker: 'jetstream' });
}

async function worksAs(options: ConnectOptions): Promise<void> {
  const memphis = await connect(options);
  try {
    const station = `s${Math.random().toString(36).slice(2)}`;
    await memphis.createStation(station, { storageType: 'memory' });
    await memphis.produce(station, 'hello');
    const [message] = await memphis.fetchMessages(station, { group: 'g', batchSize: 1 });
    assert.equal(message?.text(), 'hello');
    await message?.ack();
  } finally {
    await memphis.close();
  }
}

/** Everything of an error that somebody may print. */
const print = (error: Error): string =>
  [
    error.message,
    error.stack,
    JSON.stringify(error),
    ...(error.cause instanceof Error ? [print(error.cause)] : []),
  ].join();

/** Fails with this code, and shows none of the secrets anywhere in the error. */
export async function fails(
  options: ConnectOptions,
  code: string,
  secrets: readonly string[] = [],
): Promise<MemphisError> {
  const error: unknown = await connect({ timeoutMs: 5_000, ...options }).then(
    (memphis) => memphis.close(),
    (reason) => reason,
  );
  assert.ok(isMemphisError(error), `${error}`);
  assert.equal(error.code, code, error.message);
  for (const secret of secrets) assert.ok(!print(error).includes(secret), `shows a secret: ${error.message}`);
  return error;
}
