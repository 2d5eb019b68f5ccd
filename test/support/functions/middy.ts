/** Functions under Middy whose chains end in unusual ways; what they leave open shows when they are frozen. */

import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { ProducerContext } from '../../../src/lambda/index.ts';
import { memphisConsumer, memphisProducer } from '../../../src/middy/index.ts';
import type { Message } from '../../../src/model/message.ts';

const handle = async (messages: readonly Message[], context: Context & ProducerContext): Promise<void> => {
  for (const message of messages) void context.produce(`seen ${message.text()}`, { async: true });
};
const consumer = () => memphisConsumer({ station: 'orders', group: 'billing' });
const producer = () => memphisProducer({ station: 'invoices' });
const answer = (): string => 'early';

export const usual = middy().use(consumer()).use(producer()).handler(handle);
export const earlyBefore = middy().use(consumer()).use(producer()).use({ before: answer }).handler(handle);
export const earlyAfter = middy().use(producer()).use(consumer()).use({ after: answer }).handler(handle);
