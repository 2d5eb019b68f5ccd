/** The producing function of the soak. */

import { withProducer } from 'memphis-serverless/lambda';
import { stopAt, stopAtNext, stopBehindWrites } from '../../../test/support/functions/stop-at.ts';
import type { SoakEvent } from './consumer.ts';
import { weigh } from './weigh.ts';

interface Wanted extends SoakEvent {
  readonly messages: readonly { readonly id: string; readonly number: number }[];
}

stopBehindWrites({ publishing: '.final ' });

const produce = withProducer(
  async ({ messages }: Wanted, context) => {
    const half = messages.length >> 1;
    await Promise.all(messages.slice(0, half).map((message) => context.produce(message, { msgId: message.id })));
    stopAt('produced');
    const others = messages.slice(half);
    const results = await context.memphis.produceBatch('soak', others, {
      optionsFor: (message) => ({ msgId: message.id }),
    });
    for (const result of results) if (!result.ok) throw result.error;
  },
  { station: 'soak' },
);

export const handler = async (event: Wanted, context: never): Promise<unknown> => {
  stopAtNext(event.stopAt);
  try {
    await produce(event, context);
    return { ...(event.weigh && { weight: weigh() }) };
  } finally {
    stopAtNext(undefined);
  }
};
