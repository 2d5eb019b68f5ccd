import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { each, type ProducerContext } from 'memphis-serverless/lambda';
import { memphisConsumer, memphisProducer } from 'memphis-serverless/middy';

interface Order {
  readonly id: string;
}

const bill = each<Order, Context & ProducerContext>(async (order, { context }) => {
  await context.produce({ order: order.id, amount: 7 }, { msgId: order.id });
});

export const handler = middy()
  .use(memphisConsumer({ station: 'orders', group: 'billing' }))
  .use(memphisProducer({ station: 'invoices' }))
  .handler(bill);
