/** `memphis-serverless`: the client for long-lived callers, errors and types. */

export type { Client } from './client/client.ts';
export { type ConnectOptions, connect } from './client/connect.ts';
export type { ConsumeHandler } from './client/consume.ts';
export type { BindingArgument, ConsumeOptions, Consumer, ConsumerOptions, FetchOptions } from './client/consumer.ts';
export type { DataClient, FetchMessagesOptions } from './client/data.ts';
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
export type { Payload } from './client/payload.ts';
export type { ProduceOptions, Producer, ProducerOptions } from './client/producer.ts';
export type { Station } from './client/station.ts';
export type { Receipt } from './model/broker.ts';
export type { DeadLetterRecord, RedriveOutcome, RedriveResult, RedriveTarget } from './model/dead-letter.ts';
export { type ErrorCode, errorCodes, isMemphisError, MemphisError } from './model/errors.ts';
export type { Headers, Message, StoredMessage } from './model/message.ts';
export type { RetentionType, StationSettings, StorageType } from './model/station.ts';
export type {
  Backlog,
  GroupState,
  PartitionState,
  StationDescription,
  StationListing,
} from './model/station-description.ts';
export type { StationOptions } from './model/station-settings.ts';
