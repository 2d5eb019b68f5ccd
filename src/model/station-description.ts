/** What can be said of a station that is there: settings in force, what its partitions hold, where its groups stand. */

import type { StationSettings } from './station.ts';

/** One partition. */
export interface PartitionState {
  /** 1 and up; 0 where the station has no partitions. */
  readonly partition: number;
  readonly messages: number;
  readonly bytes: number;
  /** Of the oldest message that is there; one more than the last where there is none. */
  readonly firstSequence: number;
  /** Of the newest message that was stored; 0 before the first. */
  readonly lastSequence: number;
  /** When the oldest message that is there was stored. */
  readonly firstAt?: Date;
  readonly lastAt?: Date;
}

/** How far a group has come. */
export interface Backlog {
  /** Messages that it was never handed. */
  readonly pending: number;
  /** Messages that it was handed and has not settled, those that wait for a delay included. */
  readonly ackPending: number;
  /** How many of these were handed out more than once. */
  readonly redelivered: number;
}

/** One group; its numbers are those of all partitions together. */
export interface GroupState extends Backlog {
  readonly name: string;
  /** Copies of messages that were parked for a long delay or put back from the dead letters, and are not settled. */
  readonly comingBack: number;
  readonly partitions: readonly (Backlog & { readonly partition: number })[];
}

/** A station as it is. Plain data. */
export interface StationDescription {
  readonly name: string;
  /** Whether there is a record of ours; else its streams were made by others in the layout of a station. */
  readonly isOurs: boolean;
  /**
   * What is in force. Of a station of others: as far as its streams say; `retentionValue` 0 stands for no limit, and
   * of several limits one is told.
   */
  readonly settings: StationSettings;
  readonly messages: number;
  readonly bytes: number;
  /** Those that are there: one that was lost is missing here. */
  readonly partitions: readonly PartitionState[];
  /** By name. */
  readonly groups: readonly GroupState[];
  /** Dead letters of all groups. */
  readonly deadLetters: number;
}

/** A station in a list. */
export interface StationListing {
  readonly name: string;
  readonly isOurs: boolean;
}
