/** `memphis-serverless`: the client for long-lived callers, errors and types. */

export type { Client, SchemaOptions, SchemaSource } from './client/client.ts';
export { type ConnectOptions, connect } from './client/connect.ts';
export type { ConsumeHandler } from './client/consume.ts';
export type { ConsumeOptions, Consumer, ConsumerOptions } from './client/consumer.ts';
export type { DataClient } from './client/data.ts';
export type {
  DeadLetterCountOptions,
  DeadLetterListOptions,
  DeadLetters,
  DropAllOptions,
  DropOptions,
  RedriveAllOptions,
  RedriveOptions,
  StoredDeadLetter,
} from './client/dead-letters.ts';
export type { ProduceOptions } from './client/dispatch.ts';
export type { MessageOptions } from './client/draft.ts';
export type { FetchMessagesOptions } from './client/fetcher.ts';
export type { BindingArgument, FetchOptions } from './client/fetching.ts';
export type { Payload } from './client/payload.ts';
export type {
  AsyncProduceOptions,
  AwaitedProduceOptions,
  MultiProducer,
  Producer,
  ProducerOptions,
} from './client/producer.ts';
export type { ProduceBatchOptions, ProduceResult } from './client/send-batch.ts';
export type { Station } from './client/station.ts';
export type { DeadLetterRecord, RedriveOutcome, RedriveResult, RedriveTarget } from './model/dead-letter.ts';
export { type ErrorCode, errorCodes, isMemphisError, MemphisError, type ProduceFailure } from './model/errors.ts';
export type { Headers, Message, StoredMessage } from './model/message.ts';
export type { FailedMessage, Receipt, Written } from './model/receipt.ts';
export type { SchemaType, StationSchema } from './model/schema.ts';
export type { SchemaIssue } from './model/schema-issue.ts';
export type { OnInvalid, SchemaReader } from './model/schema-reader.ts';
export type { CreatedSchema, SchemaDescription, SchemaListing, SchemaVersion } from './model/schema-store.ts';
export type { RetentionType, StationSettings, StorageType } from './model/station.ts';
export type {
  Backlog,
  GroupState,
  PartitionState,
  StationDescription,
  StationListing,
} from './model/station-description.ts';
export type { StationOptions } from './model/station-settings.ts';
