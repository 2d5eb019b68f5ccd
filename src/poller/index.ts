/** The entry `memphis-serverless/poller`: turns the messages of stations into invocations of functions. */

export type { ConnectOptions } from '../client/connect.ts';
export { createPoller, type Poller } from './create-poller.ts';
export type { LambdaLike, LambdaOption } from './lambda-client.ts';
export type { MappingOptions } from './mapping.ts';
export { type PollerHandler, pollerHandler } from './poller-handler.ts';
export type { PollerOptions } from './poller-options.ts';
export type { MappingReport, PollReport } from './report.ts';
export type { ConnectedClient, OnPollError } from './run-mappings.ts';
