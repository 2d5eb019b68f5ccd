/** The consumer of the soak: fails now and then, writes down what it has done, and tells what it holds of the system. */

import { appendFileSync } from 'node:fs';
import { DeadLetter, each, RetryLater, withMemphis } from 'memphis-serverless/lambda';
import { stopAt, stopAtNext, stopBehindWrites } from '../../../test/support/functions/stop-at.ts';
import { weigh } from './weigh.ts';

interface Load {
  readonly id: string;
  readonly number: number;
}

export interface SoakEvent {
  /** Where it shall stop itself; `bench/soak/run.ts` has the names. */
  readonly stopAt?: string;
  /** Whether memory is wanted. */
  readonly weigh?: boolean;
}

stopBehindWrites({ pulling: 'CONSUMER.MSG.NEXT', settling: '$JS.ACK.' });

const note = (id: string, attempt: number, how: string): void =>
  appendFileSync(process.env.JOURNAL_FILE ?? '', `${JSON.stringify({ id, attempt, how })}\n`);

const consume = withMemphis(
  each<Load>(async ({ id, number }, { message }) => {
    const attempt = message.deliveryCount;
    stopAt('handling');
    await new Promise((resolve) => setTimeout(resolve, number % 5));
    if (number % 97 === 0) {
      note(id, attempt, 'dead');
      throw new DeadLetter({ reason: 'as the soak wants it' });
    }
    if (number % 31 === 0 && attempt === 1) {
      note(id, attempt, 'failed');
      throw new RetryLater({ delayMs: number % 200 });
    }
    note(id, attempt, 'done');
  }),
);

export const handler = async (event: SoakEvent, context: never): Promise<unknown> => {
  stopAtNext(event.stopAt);
  try {
    const summary = await consume({}, context);
    return { summary, ...(event.weigh && { weight: weigh() }) };
  } finally {
    stopAtNext(undefined);
  }
};
