/** A process that pulls one batch with `withMemphis` and kills itself with SIGKILL at the step that it is told. */

import type { Message } from '../../src/index.ts';
import { connect } from '../../src/index.ts';
import { withMemphis } from '../../src/lambda/index.ts';

const [step = '', url = '', station = '', group = ''] = process.argv.slice(2);
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
};

const options = { servers: [url], station, group, maxAckTimeMs: 500, maxMsgDeliveries: 2, batchMaxWaitMs: 3_000 };

if (step === 'after-fetch') {
  const memphis = await connect({ servers: [url] });
  await memphis.fetchMessages(station, { group, maxAckTimeMs: 500, maxMsgDeliveries: 2, batchMaxWaitMs: 3_000 });
  die();
}

const handler = withMemphis(async (messages: readonly Message[]) => {
  process.stdout.write(`${JSON.stringify(messages.map(({ sequence, deliveryCount }) => [sequence, deliveryCount]))}\n`);
  if (step === 'in-handler') die();
  // the handler is done, nothing is settled yet: the kill comes before the pipeline runs on
  if (step === 'before-settle') setImmediate(die);
  if (step === 'before-settle') await new Promise((resolve) => setTimeout(resolve, 50));
}, options);

process.stdout.write(`${JSON.stringify(await handler({}, {} as never))}\n`);
process.exit(0);
