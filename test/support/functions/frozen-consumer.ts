/**
 * A consumer that can be told to stop itself with SIGSTOP at an exact point of its invocation. It keeps a journal of
 * every delivery that its handler was given, and of what became of it.
 */

import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import { withMemphis } from '../../../src/lambda/index.ts';
import { stopAt, stopAtNext, stopBehindWrites } from './stop-at.ts';

const note = (what: string, id?: string, delivery?: number): void =>
  appendFileSync(process.env.JOURNAL ?? '', `${JSON.stringify({ by: process.pid, what, id, delivery })}\n`);

stopBehindWrites({ pulling: 'CONSUMER.MSG.NEXT', settling: '$JS.ACK.' });
subscribe('memphis-serverless:pull', (event) => {
  if ((event as { messages: number }).messages > 0) stopAt('fetched');
});
subscribe('memphis-serverless:settle', () => stopAt('settled'));

/** Messages of this invocation that are acked when it succeeds. */
let acked: string[] = [];

const consume = withMemphis(async (messages) => {
  for (const message of messages) note('seen', message.id, message.deliveryCount);
  stopAt('handling');
  await Promise.all(
    messages.map(async (message) => {
      const { id, deliveryCount, sequence } = message;
      await new Promise((resolve) => setTimeout(resolve, (sequence * 7) % 20));
      // the same for the same delivery: most are done, some fail once or twice, some are set aside
      const lot = (sequence * 31 + deliveryCount * 17) % 20;
      note(lot === 0 ? 'delay' : lot === 1 ? 'park' : lot === 2 ? 'dead' : lot < 5 ? 'nack' : 'ack', id, deliveryCount);
      if (lot < 2) return message.delay(50 + lot * 3_000); // the long one is parked
      if (lot === 2) return message.deadLetter('test');
      if (lot < 5) return message.nack();
      acked.push(id);
      if (lot < 8) return message.ack(); // the others when the handler has returned
    }),
  );
  setImmediate(() => stopAt('decided'));
});

export const handler = async (event: { readonly stopAt?: string }, context: unknown): Promise<unknown> => {
  acked = [];
  note('start');
  stopAtNext(event.stopAt);
  try {
    const summary = await consume({}, context as never);
    for (const id of acked) note('confirmed', id);
    return summary;
  } finally {
    stopAtNext(undefined);
  }
};
