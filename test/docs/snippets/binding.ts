import { each, withMemphis } from 'memphis-serverless/lambda';

export const handler = withMemphis(
  each<{ id: string }>((order) => console.log(`billing ${order.id}`)),
  { stream: 'ORDERS', filterSubject: 'orders.eu.>', group: 'billing' },
);
