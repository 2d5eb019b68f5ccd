/** Reading the dead letters of a Memphis station: rows in the lists of its HTTP API, and what is asked of each besides. */

import { isMemphisError } from '../../model/errors.ts';
import { mapAtOnce } from '../jetstream/at-once.ts';
import type { BrokerParts } from '../jetstream/redrive.ts';
import { PATIENCE_MS, repeat } from '../jetstream/repeat.ts';
import { streamOf } from '../jetstream/stations.ts';
import { messageAt } from '../jetstream/wire/read.ts';
import {
  detailsOf,
  headersBefore,
  parseDetails,
  parseRows,
  type Row,
  type RowDetails,
  toRecords,
} from './dead-letter-rows.ts';
import type { HttpApi } from './http-api.ts';
import { keptLetters } from './kept-letters.ts';
import type { Letter } from './letter.ts';
import { refusedLetters } from './refused-letters.ts';
import { isAnchored } from './registration.ts';

/** Rows whose particulars are asked for at the same time. */
const AT_ONCE = 8;

export class Letters {
  readonly #broker: BrokerParts;
  readonly #api: HttpApi;
  readonly #station: string;

  constructor(broker: BrokerParts, api: HttpApi, station: string) {
    this.#broker = broker;
    this.#api = api;
    this.#station = station;
  }

  /** All of them, by their ids. */
  async all(): Promise<readonly Letter[]> {
    const overview = await this.#overview(-1);
    const refused = parseRows(overview, 0, 'schema_failed_messages');
    let rows = parseRows(overview);
    if (rows.some(({ partition }) => partition === 0)) {
      // what ran out of deliveries by itself does not say of which partition it is: their lists do
      const { partitions } = await this.#broker.stations.find(this.#station);
      rows = (await mapAtOnce(partitions, (partition) => this.#rowsOf(partition || -1), AT_ONCE)).flat();
    }
    const { version } = await (await this.#broker.link.ready(Date.now() + PATIENCE_MS)).info;
    const letters = isAnchored(version)
      ? await keptLetters(this.#broker, this.#station, rows, (row) => this.#contentOf(row))
      : await mapAtOnce(rows, (row) => this.#lettersOf(row), AT_ONCE);
    return [...letters.flat(), ...(await refusedLetters(this.#api, this.#station, refused))].sort(
      (a, b) => a.record.id - b.record.id,
    );
  }

  async #lettersOf(row: Row): Promise<readonly Letter[]> {
    try {
      const details = parseDetails(await this.#api.get('stations/getPoisonMessageJourney', { message_id: row.id }));
      return this.#toLetters(row, details);
    } catch (error) {
      if (!isMemphisError(error, 'BROKER_REFUSED')) throw error;
      // one that went in the meantime is told of in no other way than one whose group has no member at its station
      if ((await this.#rowsOf(-1)).some(({ id }) => id === row.id)) {
        const details = await this.#detailsOf(row);
        if (details === undefined) throw error;
        return this.#toLetters(row, details);
      }
      return [];
    }
  }

  #toLetters(row: Row, details: RowDetails): readonly Letter[] {
    const headers = headersBefore(row);
    return toRecords(this.#station, row, details).map((record) => ({ row, record, headers }));
  }

  /** Out of the list, as far as that says all. */
  async #detailsOf(row: Row): Promise<RowDetails | undefined> {
    const data = await this.#contentOf(row);
    return data && detailsOf(row, data);
  }

  /** What the list does not cut, or the station still holds. */
  async #contentOf(row: Row): Promise<Uint8Array | undefined> {
    if (row.whole !== undefined) return row.whole;
    const stream = streamOf(this.#station, row.partition);
    const read = repeat(this.#broker.link, 'read message', PATIENCE_MS, (connection, limitMs) =>
      messageAt(connection, stream, row.sequence, limitMs),
    );
    return await read.then(
      ({ data }) => data,
      () => undefined,
    );
  }

  async #rowsOf(partition: number): Promise<readonly Row[]> {
    return parseRows(await this.#overview(partition), Math.max(0, partition));
  }

  #overview(partition: number): Promise<unknown> {
    const query = { station_name: this.#station, partition_number: partition };
    return this.#api.get('monitoring/getStationOverviewData', query);
  }
}
