/**
 * "./lambda": what runs inside a function.
 *
 * @module
 */

export { type EachHandler, type EachOptions, type EachRun, each } from '../batch/each.ts';
export type { BatchHandler } from '../batch/run-batch.ts';
export type { MemphisEvent, MemphisEventMessage } from '../envelope/event.ts';
export type { BatchItemFailure, BatchResponse } from '../envelope/response.ts';
export { isMemphisError, MemphisError } from '../model/errors.ts';
export type { LambdaContext } from '../model/lambda-context.ts';
export type { Headers, Message } from '../model/message.ts';
export { DeadLetter, RetryLater } from '../model/outcome.ts';
export type { ApiAnswer } from './api-event.ts';
export { type ProduceHandlerOptions, produceHandler } from './produce-handler.ts';
export type {
  FunctionClient,
  FunctionProducer,
  FunctionProducerOptions,
  Produce,
  ProducerContext,
} from './producer-tools.ts';
export type { PullSummary } from './pull-invocation.ts';
export { type WithMemphisOptions, withMemphis } from './with-memphis.ts';
export { type WithProducerOptions, withProducer } from './with-producer.ts';
