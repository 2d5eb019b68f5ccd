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
/** Only what its import costs: it needs a broker of its own. */
export const memphisDev = { name: 'memphis-dev', title: 'memphis-dev 1.3', entry: 'peers/memphis-dev.mjs' } as const;

export const subjects: readonly Subject[] = [floor, ours, nats3, nats2];
