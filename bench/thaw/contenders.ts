/** Who is frozen and thawed. */

import { memphisByHand, memphisSdk } from '../support/subjects.ts';

export interface Contender {
  readonly name: string;
  readonly title: string;
  readonly fetch: string;
  readonly publish: string;
  readonly isOurs: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

const nats3 = { fetch: 'peers/nats3-consumer.mjs', publish: 'peers/nats3-producer.mjs', isOurs: false } as const;

/** On a Memphis broker. */
export const memphisContenders: readonly Contender[] = [
  {
    name: 'ideal',
    title: 'ideal (bare socket)',
    fetch: 'floor/memphis-thawed-consumer.ts',
    publish: 'floor/memphis-thawed-producer.ts',
    isOurs: false,
  },
  {
    name: 'ours',
    title: 'memphis-serverless',
    fetch: 'functions/any-consumer.ts',
    publish: 'functions/producer.ts',
    isOurs: true,
  },
  { name: 'nats3', title: memphisByHand.title, ...nats3 },
  {
    name: 'dev',
    title: memphisSdk.title,
    fetch: memphisSdk.consumer,
    publish: memphisSdk.producer,
    isOurs: false,
  },
];

export const contenders: readonly Contender[] = [
  {
    name: 'ideal',
    title: 'ideal (bare socket)',
    fetch: 'floor/thawed-consumer.ts',
    publish: 'floor/thawed-producer.ts',
    isOurs: false,
  },
  {
    name: 'ours',
    title: 'memphis-serverless',
    fetch: 'functions/any-consumer.ts',
    publish: 'functions/producer.ts',
    isOurs: true,
  },
  { name: 'nats3', title: '@nats-io 3.4', ...nats3 },
  { name: 'tuned', title: '@nats-io 3.4, tuned', ...nats3, env: { BENCH_TUNED: '1' } },
  {
    name: 'nats2',
    title: 'nats 2.29',
    fetch: 'peers/nats2-consumer.mjs',
    publish: 'peers/nats2-producer.mjs',
    isOurs: false,
  },
];
