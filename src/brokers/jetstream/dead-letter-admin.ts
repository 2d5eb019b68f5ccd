/** A station's dead letters: read, counted, dropped, put back. */

import type { Connection } from '../../connection/port.ts';
import {
  type DeadLetterChoice,
  type DeadLetterRecord,
  type DeadLetterStore,
  noSuchDeadLetter,
  type OnProgress,
  type RedriveResult,
  type RedriveTarget,
} from '../../model/dead-letter.ts';
import { toInternalName } from '../../model/station.ts';
import { mapAtOnce } from './at-once.ts';
import { toDeadLetter } from './dead-letter-record.ts';
import { type BrokerParts, Redrive } from './redrive.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import { deadLetterStreamOf } from './stations.ts';
import { apiError, refusalOf } from './wire/api.ts';
import { messageAt, readStretch, type StreamMessage } from './wire/read.ts';
import { streamInfo, subjectCounts } from './wire/stream-info.ts';
import { deleteMessage, purgeStream } from './wire/streams.ts';

/** Dropped in one step. */
const DROP_AT_ONCE = 500;
/** Put back in one step: all of them are in memory together. */
const REDRIVE_AT_ONCE = 50;

export class JetStreamDeadLetters implements DeadLetterStore {
  readonly #broker: BrokerParts;
  readonly #station: string;
  readonly #isBound: boolean;
  readonly #stream: string;

  /**
   * @param station its name; of a binding the stream's
   * @param isBound it is a stream of others, not a station
   */
  constructor(broker: BrokerParts, station: string, isBound: boolean) {
    this.#broker = broker;
    this.#station = station;
    this.#isBound = isBound;
    this.#stream = deadLetterStreamOf(station);
  }

  async list(query: {
    readonly group?: string;
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly DeadLetterRecord[]> {
    return (await this.#read(query)).map((found) => toDeadLetter(this.#station, found));
  }

  async get(id: number): Promise<DeadLetterRecord> {
    const found = await this.#at(id);
    if (found !== undefined) return toDeadLetter(this.#station, found);
    await this.#checkStation();
    throw noSuchDeadLetter(this.#station, id);
  }

  count(group?: string): Promise<number> {
    return this.#ask('count dead letters', 0, async (connection, limitMs) => {
      if (group === undefined) return (await streamInfo(connection, this.#stream, limitMs)).state.messages;
      const subject = this.#subject(group);
      return (await subjectCounts(connection, this.#stream, subject, limitMs)).get(subject) ?? 0;
    });
  }

  drop(which: DeadLetterChoice, onProgress: OnProgress): Promise<number> {
    return 'ids' in which ? this.#dropThese(which.ids, onProgress) : this.#dropAll(which.group, onProgress);
  }

  async redrive(
    which: DeadLetterChoice,
    target: RedriveTarget,
    onProgress: OnProgress,
  ): Promise<readonly RedriveResult[]> {
    const redrive = new Redrive(this.#broker, this.#station, this.#isBound, target);
    const results: RedriveResult[] = [];
    if ('ids' in which) {
      const { ids } = which;
      while (results.length < ids.length && !redrive.isOver) {
        const step = ids.slice(results.length, results.length + REDRIVE_AT_ONCE);
        const found = await mapAtOnce(step, async (id) => (await this.#at(id)) ?? { id, outcome: 'missing' as const });
        results.push(...(await redrive.putBack(found)));
        await onProgress(results.length, ids.length);
      }
      return [...results, ...ids.slice(results.length).map((id) => redrive.untried(id))];
    }
    // what comes back to the dead letters in the meantime is not put back once more
    const { last, total } = await this.#extent(which.group);
    for (let after = 0; after < last && !redrive.isOver; ) {
      const read = await this.#read({ ...which, after, limit: REDRIVE_AT_ONCE });
      const step = read.filter(({ sequence }) => sequence <= last);
      if (step.length === 0) break;
      results.push(...(await redrive.putBack(step)));
      after = step.at(-1)?.sequence ?? last;
      await onProgress(results.length, Math.max(total, results.length));
    }
    return results;
  }

  async #dropThese(ids: readonly number[], onProgress: OnProgress): Promise<number> {
    let went = 0;
    for (let done = 0; done < ids.length; ) {
      const step = ids.slice(done, done + DROP_AT_ONCE);
      const gone = await mapAtOnce(step, (id) => this.#dropOne(id));
      went += gone.filter(Boolean).length;
      done += step.length;
      await onProgress(done, ids.length);
    }
    return went;
  }

  /** @returns whether it was there */
  #dropOne(id: number): Promise<boolean> {
    return this.#ask('drop dead letter', false, async (connection, limitMs, attempt) => {
      const wasThere = await deleteMessage(connection, this.#stream, id, limitMs);
      return wasThere || attempt > 1; // a try whose answer was lost may have done it
    });
  }

  /** All that are there now; what comes in the meantime stays. */
  async #dropAll(group: string | undefined, onProgress: OnProgress): Promise<number> {
    const { last, total } = await this.#extent(group);
    if (total === 0) return 0;
    const went = await this.#ask('drop dead letters', 0, async (connection, limitMs, attempt) => {
      const what = { filter: this.#subject(group), seq: last + 1 };
      const purged = await purgeStream(connection, this.#stream, what, limitMs);
      return attempt > 1 ? total : purged; // a try whose answer was lost may have done it
    });
    await onProgress(went, went);
    return went;
  }

  /** Id of the newest one, and how many there are of a group. */
  async #extent(group: string | undefined): Promise<{ readonly last: number; readonly total: number }> {
    const last = await this.#ask('look at dead letters', 0, async (connection, limitMs) => {
      return (await streamInfo(connection, this.#stream, limitMs)).state.lastSequence;
    });
    return { last, total: await this.count(group) };
  }

  #read(query: {
    readonly group?: string;
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly StreamMessage[]> {
    const { group, after, limit } = query;
    return this.#ask('read dead letters', [], (connection, limitMs) =>
      readStretch(
        connection,
        { stream: this.#stream, filterSubject: this.#subject(group), from: after + 1, limit },
        limitMs,
      ),
    );
  }

  async #at(id: number): Promise<StreamMessage | undefined> {
    return await this.#ask('read dead letter', undefined, async (connection, limitMs) => {
      try {
        return await messageAt(connection, this.#stream, id, limitMs);
      } catch (error) {
        if (refusalOf(error) === apiError.MESSAGE_NOT_FOUND) return undefined;
        throw error;
      }
    });
  }

  #subject(group: string | undefined): string {
    return `${this.#stream}.${group === undefined ? '>' : toInternalName(group)}`;
  }

  /** Asks the stream; where there is none, the station has no dead letters yet, or there is no such station. */
  async #ask<T>(
    operation: string,
    none: T,
    run: (connection: Connection, limitMs: number, attempt: number) => Promise<T>,
  ): Promise<T> {
    try {
      return await repeat(this.#broker.link, operation, PATIENCE_MS, run);
    } catch (error) {
      if (refusalOf(error) !== apiError.STREAM_NOT_FOUND) throw error;
      await this.#checkStation();
      return none;
    }
  }

  /** @throws MemphisError `STATION_NOT_FOUND` */
  async #checkStation(): Promise<void> {
    if (this.#isBound) {
      await repeat(this.#broker.link, 'look at stream', PATIENCE_MS, (connection, limitMs) =>
        streamInfo(connection, this.#station, limitMs),
      );
      return;
    }
    this.#broker.stations.forget(this.#station);
    await this.#broker.stations.find(this.#station);
  }
}
