/**
 * "./middy": `withMemphis` and `withProducer` as Middy middlewares, for `@middy/core` 6 and 7.
 *
 * @module
 */

export type { FunctionClient, FunctionProducer, ProducerContext } from '../lambda/producer-tools.ts';
export { type MemphisConsumerOptions, memphisConsumer } from './memphis-consumer.ts';
export { type MemphisProducerOptions, memphisProducer } from './memphis-producer.ts';
export type { MemphisMiddleware, MiddyRequest } from './request.ts';
