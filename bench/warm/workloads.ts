/** What warm functions are given to do. */

import type { Work } from '../functions/produce-all.ts';

/** How often a process is invoked: before it counts, and then. */
interface Times {
  readonly warmUps: number;
  readonly invocations: number;
}

export interface Fetching extends Times {
  readonly title: string;
  readonly batchSize: number;
  readonly bytes: number;
}

export interface Producing extends Times {
  readonly title: string;
  readonly work: Work & { readonly count: number };
}

export const fetching: readonly Fetching[] = [
  { title: '1 x 100 B', batchSize: 1, bytes: 100, warmUps: 50, invocations: 200 },
  { title: '10 x 100 B', batchSize: 10, bytes: 100, warmUps: 50, invocations: 200 },
  { title: '100 x 100 B', batchSize: 100, bytes: 100, warmUps: 20, invocations: 60 },
  { title: '1000 x 100 B', batchSize: 1_000, bytes: 100, warmUps: 8, invocations: 15 },
  // once V8 has compiled what it will compile: of the rows above that is a good part
  { title: '1 x 100 B, warmed up', batchSize: 1, bytes: 100, warmUps: 2_000, invocations: 500 },
  { title: '10 x 100 B, warmed up', batchSize: 10, bytes: 100, warmUps: 2_000, invocations: 500 },
  { title: '1000 x 100 B, warmed up', batchSize: 1_000, bytes: 100, warmUps: 60, invocations: 30 },
  { title: '10 x 10 KB', batchSize: 10, bytes: 10_000, warmUps: 30, invocations: 100 },
  { title: '100 x 10 KB', batchSize: 100, bytes: 10_000, warmUps: 8, invocations: 20 },
];

const many = { count: 500, isPipelined: true } as const;
export const producing: readonly Producing[] = [
  { title: '100 B, one after the other', work: { count: 50, id: 'm' }, warmUps: 5, invocations: 20 },
  { title: '100 B, 500 in flight', work: { ...many, id: 'm' }, warmUps: 5, invocations: 15 },
  { title: '100 B, one after the other, warmed up', work: { count: 50, id: 'm' }, warmUps: 80, invocations: 40 },
  { title: '100 B, 500 in flight, warmed up', work: { ...many, id: 'm' }, warmUps: 60, invocations: 20 },
  { title: '10 KB, 500 in flight', work: { ...many, bytes: 10_000, id: 'm' }, warmUps: 3, invocations: 8 },
];
