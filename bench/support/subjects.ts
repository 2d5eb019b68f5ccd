/** What is compared: our functions, the floor, and functions over other clients. */

/** One of them. */
export interface Subject {
  /** Also the name of its durable. */
  readonly name: string;
  readonly title: string;
  readonly consumer: string;
  readonly producer: string;
  /** Whether it reads `MEMPHIS_*` as our functions do. */
  readonly isOurs: boolean;
}

export const floor: Subject = {
  name: 'floor',
  title: 'floor (bare socket)',
  consumer: 'floor/consumer.ts',
  producer: 'floor/producer.ts',
  isOurs: false,
};
/** Its durable is the group's. */
export const ours: Subject = {
  name: 'g',
  title: 'memphis-serverless',
  consumer: 'functions/consumer.ts',
  producer: 'functions/producer.ts',
  isOurs: true,
};
export const nats3: Subject = {
  name: 'nats3',
  title: '@nats-io 3.4',
  consumer: 'peers/nats3-consumer.mjs',
  producer: 'peers/nats3-producer.mjs',
  isOurs: false,
};
export const nats2: Subject = {
  name: 'nats2',
  title: 'nats 2.29',
  consumer: 'peers/nats2-consumer.mjs',
  producer: 'peers/nats2-producer.mjs',
  isOurs: false,
};
/** On a nats-server only what its import costs: it needs a broker of its own. */
export const memphisDev = { name: 'memphis-dev', title: 'memphis-dev 1.3', entry: 'peers/memphis-dev.mjs' } as const;

export const subjects: readonly Subject[] = [floor, ours, nats3, nats2];

/** It registers, as every client of a Memphis broker, and waits for no answer to that. */
export const memphisFloor: Subject = {
  ...floor,
  consumer: 'floor/memphis-consumer.ts',
  producer: 'floor/memphis-producer.ts',
};
/** The official client with what the broker is made of: nothing is registered, so the broker keeps no dead letters for it. */
export const memphisByHand: Subject = { ...nats3, title: '@nats-io 3.4, unregistered' };
export const memphisSdk: Subject = {
  name: 'dev',
  title: memphisDev.title,
  consumer: 'peers/memphis-consumer.mjs',
  producer: 'peers/memphis-producer.mjs',
  isOurs: false,
};

/** On a Memphis broker. */
export const memphisSubjects: readonly Subject[] = [memphisFloor, ours, memphisByHand, memphisSdk];
