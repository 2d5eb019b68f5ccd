/** Entry `memphis-serverless/testing`: what users of this package, and its own tests, test with. */

export { brokerContract, type ContractCase, type ContractSubject } from './broker-contract.ts';
export { closeConnections } from './close-connections.ts';
export { type Clock, type FakeClock, makeFakeClock } from './fake-clock.ts';
export type { InvokeOptions, StartFunctionOptions } from './function-options.ts';
export { type MakeContextOptions, makeContext } from './make-context.ts';
export { type MakeEventDetails, type MakeEventOptions, makeEvent } from './make-event.ts';
export { type MemoryBroker, makeMemoryBroker } from './memory-broker.ts';
export type { MemoryDeadLetter } from './memory-dead-letters.ts';
export { type EnsureNatsServerOptions, ensureNatsServer, findNatsServers } from './nats-server.ts';
export { type RunningBroker, type StartBrokerOptions, startBroker } from './start-broker.ts';
export { type InvokeResult, type RunningFunction, startFunction } from './start-function.ts';
export { type EndOfUse, useBroker } from './use-broker.ts';
