import { each, type LambdaContext, type ProducerContext, withMemphis, withProducer } from 'memphis-serverless/lambda';

interface Order {
  readonly id: string;
}

const bill = each<Order, LambdaContext & ProducerContext>(async (order, { context }) => {
  await context.produce({ order: order.id, amount: 7 }, { msgId: order.id });
});

export const handler = withMemphis(withProducer(bill, { station: 'invoices' }), {
  station: 'orders',
  group: 'billing',
});
