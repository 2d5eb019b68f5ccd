import { each, withMemphis } from 'memphis-serverless/lambda';

interface Order {
  readonly id: string;
}

export const handler = withMemphis(
  each<Order>(async (order) => console.log(`billing ${order.id}`)),
  { station: 'orders', group: 'billing' },
);
