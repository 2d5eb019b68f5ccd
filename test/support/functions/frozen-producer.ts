/** Producers that can be told to stop themselves with SIGSTOP at an exact point of their invocation. */

import { produceHandler, withProducer } from '../../../src/lambda/index.ts';
import { stopAt, stopAtNext, stopBehindWrites } from './stop-at.ts';

stopBehindWrites({ looking: '$JS.API.', publishing: '.final ' });

interface Wanted {
  readonly stopAt?: string;
}

/** Runs a handler that may stop at a point, and at none when it is over. */
const stopping =
  <Event extends Wanted>(handle: (event: Event, context: never) => Promise<unknown>) =>
  async (event: Event, context: never): Promise<unknown> => {
    stopAtNext(event.stopAt);
    try {
      return await handle(event, context);
    } finally {
      stopAtNext(undefined);
    }
  };

/** Stores texts in each way there is: with an id and without, awaited or not, and many at once. */
export const work = stopping(
  withProducer(async ({ texts }: Wanted & { readonly texts: readonly string[] }, context) => {
    const [first = '', second = '', third = '', ...others] = texts;
    const receipt = await context.produce(first);
    stopAt('produced');
    await Promise.all([context.produce(second, { msgId: second }), context.produce(third, { async: true })]);
    const results = await context.memphis.produceBatch('frozen', others);
    return [receipt, ...results];
  }),
);

/** The function of an API. */
export const api = stopping(produceHandler());
