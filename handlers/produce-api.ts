/** POST /orders: checks an order, stores it in the station and answers 202 with where it is stored. */
import { produceHandler } from 'memphis-serverless/lambda';
import { orderSchema } from './order.ts';

// A client that repeats its request with the same Idempotency-Key stores nothing twice.
export const handler = produceHandler({ station: 'orders', schema: orderSchema });
