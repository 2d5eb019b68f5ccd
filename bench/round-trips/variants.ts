/** Who goes over the slow path, and what they were told of the broker beforehand. */

import type { AccessKind } from '../support/access.ts';
import {
  floor,
  memphisByHand,
  memphisFloor,
  memphisSdk,
  nats2,
  nats3,
  ours,
  type Subject,
} from '../support/subjects.ts';

export interface Variant {
  readonly name: string;
  readonly title: string;
  readonly subject: Subject;
  /** How to get into which broker; those of one word share a broker. */
  readonly access: AccessKind | 'memphis' | 'memphis-anew';
  /** Variables, over those of the scene; '' takes one away. */
  readonly env?: Readonly<Record<string, string>>;
  /** The group is not there yet. */
  readonly isNewGroup?: boolean;
}

/** Of our functions; `bench/budgets.ts` has a line for each. */
export const ourVariants = [
  { name: 'stated', title: 'memphis-serverless, all stated', subject: ours, access: 'plain' },
  {
    name: 'tls-not-stated',
    title: 'memphis-serverless, tls not stated',
    subject: ours,
    access: 'plain',
    env: { MEMPHIS_TLS: '' },
  },
  {
    name: 'broker-not-stated',
    title: 'memphis-serverless, broker not stated',
    subject: ours,
    access: 'plain',
    env: { MEMPHIS_BROKER: '' },
  },
  { name: 'nkey', title: 'memphis-serverless, nkey', subject: ours, access: 'nkey' },
  { name: 'tls', title: 'memphis-serverless, TLS', subject: ours, access: 'tls' },
  { name: 'memphis', title: 'memphis-serverless, Memphis, all stated', subject: ours, access: 'memphis' },
  {
    name: 'memphis-new-group',
    title: 'memphis-serverless, Memphis, new group',
    subject: ours,
    access: 'memphis-anew',
    isNewGroup: true,
  },
  { name: 'new-group', title: 'memphis-serverless, new group', subject: ours, access: 'plain', isNewGroup: true },
] as const satisfies readonly Variant[];

const waits = { BENCH_WAITS_FOR_INFO: '1' };

export const variants: readonly Variant[] = [
  { name: 'floor', title: 'floor (bare socket), one flight', subject: floor, access: 'plain' },
  { name: 'floor-info', title: 'floor (bare socket), waits for INFO', subject: floor, access: 'plain', env: waits },
  ...ourVariants,
  { name: 'nats3', title: '@nats-io 3.4', subject: nats3, access: 'plain' },
  { name: 'nats2', title: 'nats 2.29', subject: nats2, access: 'plain' },
  { name: 'nats3-tls', title: '@nats-io 3.4, TLS', subject: nats3, access: 'tls' },
  { name: 'nats2-tls', title: 'nats 2.29, TLS', subject: nats2, access: 'tls' },
];

const onMemphis = { access: 'memphis', isNewGroup: false } as const;
const anew = { isNewGroup: true, env: { BENCH_IS_NEW: '1' } } as const;

/** On a Memphis broker that runs. */
export const memphisVariants: readonly Variant[] = [
  { name: 'floor', title: 'floor (bare socket), one flight', subject: memphisFloor, ...onMemphis },
  { name: 'floor-new', title: 'floor (bare socket), new group', subject: memphisFloor, ...onMemphis, ...anew },
  { name: 'floor-info', title: 'floor (bare socket), waits for INFO', subject: memphisFloor, ...onMemphis, env: waits },
  { name: 'memphis', title: 'memphis-serverless, all stated', subject: ours, ...onMemphis },
  { name: 'new-group', title: 'memphis-serverless, new group', subject: ours, ...onMemphis, ...anew },
  {
    name: 'not-stated',
    title: 'memphis-serverless, broker not stated',
    subject: ours,
    ...onMemphis,
    env: { MEMPHIS_BROKER: '' },
  },
  { name: 'nats3', title: memphisByHand.title, subject: memphisByHand, ...onMemphis },
  { name: 'dev', title: memphisSdk.title, subject: memphisSdk, ...onMemphis },
  { name: 'dev-new', title: `${memphisSdk.title}, new group`, subject: memphisSdk, ...onMemphis, ...anew },
];
