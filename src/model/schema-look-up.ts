/** The port through which a broker knows which schemas its stations have. */

import type { Broker } from './broker.ts';
import type { StationSchema } from './schema.ts';

/**
 * What is known of the schemas of stations. A process without a codec has the few lines of its driver that tell that there
 * is one; all that may be missing comes with the codecs (docs/decisions/015).
 */
export interface StationSchemas {
  /** @throws MemphisError `STATION_NOT_FOUND`, and what looking up throws */
  of(station: string, patienceMs?: number): Promise<StationSchema | undefined>;
  /** Whether a station is known to have none. What is old is looked at beside the use. */
  isPlain(station: string): boolean;
  /** The end of a look beside the work; nothing where there is none. Never rejects. */
  looking(station: string): Promise<void> | undefined;
  /** Begins to find out, beside a pull. @returns what is known in the end, within so long; never rejects */
  beside(
    station: string,
    patienceMs: number,
  ): (limitMs: number) => StationSchema | undefined | Promise<StationSchema | undefined>;
  /** As `of`, of what the broker says now. */
  fresh?(station: string, patienceMs?: number): Promise<StationSchema | undefined>;
  /** What is known is looked at anew before the next use. */
  forget?(): void;
  /** What a registration was answered. @param changes how many had been heard of when it was asked */
  hear?(station: string, reply: Readonly<Record<string, unknown>>, changes?: number): void;
  /** What a broker that was asked wants to be told of messages that break the schema. */
  wants?(station: string): { readonly reportsViolations: boolean; readonly sendsNotifications: boolean } | undefined;
  /** A registration that is under way will tell. */
  expect?(station: string, telling: Promise<Readonly<Record<string, unknown>> | undefined>): void;
  /** Hears of changes, for the life of a connection. @returns how many have been heard of so far */
  watch?(connection: object, station: string): number;
}

/** Makes that of a broker. */
export type LookUp = (broker: Broker) => StationSchemas;
