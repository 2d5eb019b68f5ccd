/** Entry `memphis-serverless/testing`: what users of this package, and its own tests, test with. */

export { type EnsureNatsServerOptions, ensureNatsServer, findNatsServers } from './nats-server.ts';
export { type RunningBroker, type StartBrokerOptions, startBroker } from './start-broker.ts';
