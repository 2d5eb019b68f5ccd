/** All tables of options, for tests that hold them against docs and bad input. */

export * from '../../src/model/options/codec.ts';
export * from '../../src/model/options/compile.ts';
export * from '../../src/model/options/connect.ts';
export * from '../../src/model/options/consume.ts';
export * from '../../src/model/options/consumer-function.ts';
export * from '../../src/model/options/dead-letters.ts';
export * from '../../src/model/options/each.ts';
export * from '../../src/model/options/middy.ts';
export * from '../../src/model/options/poller.ts';
export * from '../../src/model/options/produce.ts';
export * from '../../src/model/options/produce-handler.ts';
// what two of them share is no table of its own
export { producerFunctionOptions } from '../../src/model/options/producer-function.ts';
export * from '../../src/model/options/read.ts';
export * from '../../src/model/options/stations.ts';
