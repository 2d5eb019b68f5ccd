/** What a run did, mapping by mapping: counted while it goes on, plain data at the end. */

import { describeError, isMemphisError } from '../model/errors.ts';

/** What one mapping did in a run. Plain data, so that it can be a function's answer. */
export interface MappingReport {
  readonly name: string;
  /** Messages pulled; one that came back counts again. */
  readonly polled: number;
  /** Messages handed to the function; one in two invocations counts twice. */
  readonly invoked: number;
  readonly acked: number;
  readonly retried: number;
  readonly deadLettered: number;
  /** Put back without having been seen by the function. */
  readonly givenBack: number;
  /** Calls that reached the function. */
  readonly invocations: number;
  /** Code and words of what still kept the mapping from working when the run ended. */
  readonly error?: string;
}

/** What a run did. */
export interface PollReport {
  readonly mappings: readonly MappingReport[];
}

/** Counters of a run under way. */
export type Tally = {
  -readonly [Name in Exclude<keyof MappingReport, 'name' | 'error'>]: number;
};

export function makeTally(): Tally {
  return { polled: 0, invoked: 0, acked: 0, retried: 0, deadLettered: 0, givenBack: 0, invocations: 0 };
}

/** The words of an error, with its code where it has one. */
export function toErrorText(error: unknown): string {
  return isMemphisError(error) ? `${error.code}: ${error.message}` : describeError(error);
}
