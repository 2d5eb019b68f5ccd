/**
 * Dead letters of a Memphis station: rows that its HTTP API tells, and that go by the acknowledgement that clients send for
 * one that was resent (memphis-wire 6.3). Putting back is our own, so that one group alone gets its message.
 */

import { wait } from '../../connection/within.ts';
import {
  type DeadLetterChoice,
  type DeadLetterRecord,
  type DeadLetterStore,
  noSuchDeadLetter,
  type OnProgress,
  REFUSED,
  type RedriveResult,
  type RedriveTarget,
} from '../../model/dead-letter.ts';
import { toInternalName } from '../../model/station.ts';
import { mapAtOnce } from '../jetstream/at-once.ts';
import { keepHeaders, underId } from '../jetstream/kept-headers.ts';
import { refuseMissing } from '../jetstream/missing-stream.ts';
import { type BrokerParts, neverStored } from '../jetstream/redrive.ts';
import { PATIENCE_MS, repeat } from '../jetstream/repeat.ts';
import { deadLetterStreamOf, streamOf } from '../jetstream/stations.ts';
import { store } from '../jetstream/store.ts';
import type { PubAck } from '../jetstream/wire/publish.ts';
import { deleteMessage } from '../jetstream/wire/streams.ts';
import { untilAdvisoriesAreRead } from './advisories-read.ts';
import type { HttpApi } from './http-api.ts';
import type { Letter } from './letter.ts';
import { Letters } from './letters.ts';
import { dropRefused } from './refused-letters.ts';
import { sendResendAck } from './wire/resend-ack.ts';

/** How long it may take until a group that went out of a row is not shown any more. */
const REMOVE_LIMIT_MS = 8_000;
const LOOK_EVERY_MS = 100;
/** What is deleted at the same time. */
const AT_ONCE = 8;
/** Time to settle where a group's durable has to be made; its reader brings it to its own. */
const ACK_WAIT_MS = 30_000;

export class MemphisDeadLetters implements DeadLetterStore {
  readonly #broker: BrokerParts;
  readonly #api: HttpApi;
  readonly #station: string;
  readonly #letters: Letters;

  constructor(broker: BrokerParts, api: HttpApi, station: string) {
    this.#broker = broker;
    this.#api = api;
    this.#station = station;
    this.#letters = new Letters(broker, api, station);
  }

  async list(query: {
    readonly group?: string;
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly DeadLetterRecord[]> {
    const letters = await this.#read(query.group);
    const behind = letters.filter(({ record }) => record.id > query.after);
    return behind.slice(0, query.limit).map(({ record }) => record);
  }

  async get(id: number): Promise<DeadLetterRecord> {
    const found = (await this.#read()).find(({ record }) => record.id === id);
    if (found !== undefined) return found.record;
    throw noSuchDeadLetter(this.#station, id);
  }

  async count(group?: string): Promise<number> {
    return (await this.#read(group)).length;
  }

  async drop(which: DeadLetterChoice, onProgress: OnProgress): Promise<number> {
    const chosen = await this.#choose(which);
    await this.#remove(chosen);
    const total = 'ids' in which ? which.ids.length : chosen.length;
    if (total > 0) await onProgress(total, total);
    return chosen.length;
  }

  async redrive(
    which: DeadLetterChoice,
    target: RedriveTarget,
    onProgress: OnProgress,
  ): Promise<readonly RedriveResult[]> {
    const chosen = await this.#choose(which);
    const byId = new Map(chosen.map((letter) => [letter.record.id, letter]));
    const ids = 'ids' in which ? which.ids : chosen.map(({ record }) => record.id);
    const results: RedriveResult[] = [];
    let failure: { readonly error: unknown } | undefined;
    for (const id of ids) {
      const letter = byId.get(id);
      const result: RedriveResult =
        failure !== undefined
          ? { id, outcome: 'failed', ...failure }
          : letter === undefined
            ? { id, outcome: 'missing' }
            : await this.#putBack(letter, target);
      if (result.outcome === 'failed' && letter?.record.group !== REFUSED) failure = { error: result.error };
      results.push(result);
      await onProgress(results.length, ids.length);
    }
    return results;
  }

  async #putBack(letter: Letter, target: RedriveTarget): Promise<RedriveResult> {
    const { id, group } = letter.record;
    try {
      if (group === REFUSED) throw neverStored(this.#station, id);
      const { duplicate } = await (target === 'group' ? this.#forGroup(letter) : this.#intoStation(letter));
      if (duplicate) return { id, outcome: 'duplicate' };
      await this.#remove([letter]);
      return { id, outcome: 'redriven' };
    } catch (error) {
      return { id, outcome: 'failed', error };
    }
  }

  /** The same dead letter is put back in one way once, as long as the broker remembers. */
  #copyId({ id, setAsideAt }: DeadLetterRecord, target: RedriveTarget): string {
    return `dls:${this.#station}:${id}:${setAsideAt.getTime()}:${target}`;
  }

  async #forGroup({ record, headers }: Letter): Promise<PubAck> {
    const { group, sequence, timestamp, data } = record;
    const partition = await this.#partitionOf(record);
    return await this.#broker.retries.store(
      {
        station: this.#station,
        durable: toInternalName(group),
        partition,
        stream: streamOf(this.#station, partition),
        sequence,
        storedAt: timestamp,
        headers,
        data,
        deliveries: 0,
        ackWaitMs: ACK_WAIT_MS,
        copyId: this.#copyId(record, 'group'),
      },
      PATIENCE_MS,
    );
  }

  async #intoStation({ record, headers: before }: Letter): Promise<PubAck> {
    const { link, stations } = this.#broker;
    const stream = streamOf(this.#station, await this.#partitionOf(record));
    const headers = underId(this.#copyId(record, 'station'), keepHeaders(before));
    return await store(
      link,
      `${stream}.final`,
      { data: record.data, headers },
      {
        timeoutMs: PATIENCE_MS,
        onMissing: (connection, limitMs) => refuseMissing(connection, this.#station, stream, limitMs, stations),
      },
    );
  }

  /** The station may have been made anew with fewer. */
  async #partitionOf({ partition }: DeadLetterRecord): Promise<number> {
    const { partitions } = await this.#broker.stations.find(this.#station);
    return partitions.includes(partition) ? partition : (partitions[0] ?? 0);
  }

  async #choose(which: DeadLetterChoice): Promise<readonly Letter[]> {
    if (!('ids' in which)) return await this.#read(which.group);
    const ids = new Set(which.ids);
    return (await this.#read()).filter(({ record }) => ids.has(record.id));
  }

  /** Takes their groups out of the rows, or the rows away that are of none. */
  async #remove(letters: readonly Letter[]): Promise<void> {
    const refused = letters.filter(({ record }) => record.group === REFUSED);
    if (refused.length > 0) await dropRefused(this.#api, this.#station, refused);
    await this.#removeFromGroups(letters.filter(({ record }) => record.group !== REFUSED));
  }

  /** Nobody answers it, so what shows is waited for. */
  async #removeFromGroups(letters: readonly Letter[]): Promise<void> {
    if (letters.length === 0) return;
    await repeat(this.#broker.link, 'drop dead letters', PATIENCE_MS, async (connection, limitMs) => {
      for (const { row, record } of letters) sendResendAck(connection, row.id, record.group);
      await connection.flush(limitMs);
      const kept = letters.flatMap((letter) => letter.kept ?? []);
      await mapAtOnce(
        kept,
        (one) => deleteMessage(connection, deadLetterStreamOf(this.#station), one, limitMs),
        AT_ONCE,
      );
    });
    const ids = new Set(letters.map(({ record }) => record.id));
    for (const untilMs = Date.now() + REMOVE_LIMIT_MS; Date.now() < untilMs; await wait(LOOK_EVERY_MS)) {
      if (!(await this.#letters.all()).some(({ record }) => ids.has(record.id))) return;
    }
  }

  async #read(group?: string): Promise<readonly Letter[]> {
    await untilAdvisoriesAreRead(this.#broker.link);
    const letters = await this.#letters.all();
    return group === undefined ? letters : letters.filter(({ record }) => record.group === group);
  }
}
