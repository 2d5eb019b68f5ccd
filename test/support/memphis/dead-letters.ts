/** Dead letters of the stand-in: notices made into rows, rows resent, acks taken (memphis-wire 6). */

import { isBefore } from '../../../src/brokers/jetstream/server-version.ts';
import { parseAckSubject } from '../../../src/brokers/jetstream/wire/ack.ts';
import { isJson, type Json } from '../../../src/brokers/jetstream/wire/api.ts';
import { startPull } from '../../../src/brokers/jetstream/wire/pull.ts';
import type { Connection, Frame } from '../../../src/connection/port.ts';
import { askApi, decodeJson, encode } from './api.ts';
import { external, internal, type Tables } from './tables.ts';

const STREAM = '$memphis_dls_unacked';
const DURABLE = '$memphis_dls_unacked_consumer';
/** A broker takes up to five seconds. */
const ROUND_MS = 200;

/** Text of a header block as names and values. */
function toHeaders(block: string): Record<string, string> {
  const lines = block.split('\r\n').slice(1).filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

export class DeadLetterTable {
  readonly #nats: Connection;
  readonly #tables: Tables;
  readonly #onViolation: (what: string) => void;
  readonly #readsNotices: boolean;
  /** Called when the next notice counts as settled without a row, and stays in the stream. */
  #onPassed: (() => void) | undefined;
  #isOver = false;
  #working: Promise<void> = Promise.resolve();

  constructor(nats: Connection, tables: Tables, version: string, onViolation: (what: string) => void) {
    this.#nats = nats;
    this.#tables = tables;
    this.#onViolation = onViolation;
    this.#readsNotices = !isBefore(version, 1, 3);
  }

  async start(): Promise<void> {
    await askApi(this.#nats, `STREAM.CREATE.${STREAM}`, {
      name: STREAM,
      subjects: ['$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>'],
      storage: 'memory',
    });
    await askApi(this.#nats, `CONSUMER.DURABLE.CREATE.${STREAM}.${DURABLE}`, {
      stream_name: STREAM,
      config: { durable_name: DURABLE, deliver_policy: 'all', ack_policy: 'explicit', max_ack_pending: -1 },
    });
    this.#working = this.#work();
  }

  passOver(): Promise<void> {
    return new Promise((resolve) => {
      this.#onPassed = resolve;
    });
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    while (!this.#isOver && !this.#nats.isClosed) {
      const notices: Frame[] = [];
      const request = { stream: STREAM, durable: DURABLE, batch: 100, waitMs: 0, mayHang: false, silenceMs: 1_000 };
      await startPull(this.#nats, request, (notice) => notices.push(notice)).ended;
      for (const { data, reply } of notices) {
        const onPassed = this.#onPassed;
        this.#onPassed = undefined;
        if (onPassed === undefined) await this.#store(decodeJson(data));
        this.#nats.publish(reply, encode('+ACK'));
        if (onPassed === undefined) {
          await askApi(this.#nats, `STREAM.MSG.DELETE.${STREAM}`, { seq: parseAckSubject(reply).sequence });
        } else {
          await this.#nats.flush(5_000);
          onPassed();
        }
      }
      await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
    }
  }

  async #store(notice: Json): Promise<void> {
    const [stream, consumer] = [String(notice.stream), String(notice.consumer)];
    if (notice.data !== undefined && notice.headers === undefined)
      this.#onViolation('a notice with data without headers');
    const [, name = '', partition = '-1'] = /^(.*)\$(\d+)$/.exec(stream) ?? [];
    const station = this.#tables.stations.get(external(name));
    const group = external(consumer);
    if (station?.poison !== true || !this.#tables.isRegistered(group)) return;
    let [block, data] = [String(notice.headers ?? ''), String(notice.data ?? '')];
    if (notice.data === undefined || !this.#readsNotices) {
      const { message } = await askApi(this.#nats, `STREAM.MSG.GET.${stream}`, { seq: notice.stream_seq });
      if (!isJson(message)) return;
      [block, data] = [String(message.hdrs ?? ''), String(message.data ?? '')];
    }
    const headers = toHeaders(Buffer.from(block, 'base64').toString());
    delete headers['Nats-Msg-Id'];
    if (headers.$memphis_producedBy === '$memphis_dls') return;
    const sequence = Number(notice.stream_seq);
    const known = this.#tables.deadLetters.find(
      (row) => row.station === station.name && row.sequence === sequence && row.partition === Number(partition),
    );
    if (known !== undefined) {
      if (!known.groups.includes(group)) known.groups.push(group);
    } else {
      this.#tables.deadLetters.push({
        id: this.#tables.nextId(),
        station: station.name,
        partition: Number(partition),
        sequence,
        groups: [group],
        headers,
        data: Buffer.from(data, 'base64'),
        updatedAt: new Date(),
        type: 'poison',
        error: '',
      });
    }
    if (station.dlsStation !== '') this.#copy(station.name, station.dlsStation, headers, Buffer.from(data, 'base64'));
  }

  #copy(from: string, to: string, headers: Readonly<Record<string, string>>, data: Buffer): void {
    if (Object.keys(headers).length === 0) this.#onViolation('a dead letter without headers, and a linked station');
    const all = Object.entries({ ...headers, station: from, type: 'unacked' });
    this.#nats.publish(`${internal(to)}$1.final`, data, { headers: all });
  }

  /** As the interface does; what nobody listens for is lost. */
  resend(ids: readonly number[]): void {
    for (const row of this.#tables.deadLetters.filter(({ id }) => ids.includes(id))) {
      for (const group of row.groups) {
        const own = { $memphis_pm_id: String(row.id), $memphis_pm_cg_name: group, $memphis_producedBy: '$memphis_dls' };
        const headers = Object.entries({ ...row.headers, ...own });
        for (const dot of ['.', '_']) {
          this.#nats.publish(`$memphis_dls_${internal(row.station)}${dot}${internal(group)}`, row.data, { headers });
        }
      }
    }
  }

  /** `$memphis_pm_acks`. */
  onAck(data: Uint8Array): void {
    const { id, cg_name: group } = decodeJson(data);
    if (typeof id !== 'number') this.#onViolation('an ack of a dead letter whose id is no number');
    const row = this.#tables.deadLetters.find((letter) => letter.id === id);
    if (row === undefined) return;
    if (!row.groups.includes(String(group)))
      this.#onViolation(`an ack of dead letter ${id} for ${group}, who has none`);
    row.groups = row.groups.filter((known) => known !== group);
    if (row.groups.length === 0) this.#tables.deadLetters.splice(this.#tables.deadLetters.indexOf(row), 1);
  }

  /** `$memphis_schemaverse_dls`. */
  onViolationReport(data: Uint8Array): void {
    const report = decodeJson(data);
    const message = isJson(report.message) ? report.message : {};
    const hex = String(message.data ?? '');
    if (!isJson(message.headers)) this.#onViolation('a report of a violation without headers');
    if (hex.length % 2 === 1 || !/^[0-9a-f]*$/i.test(hex))
      this.#onViolation('a report whose data is no even hexadecimal');
    if (String(report.validation_error).includes('\0')) this.#onViolation('a report with a NUL');
    this.#tables.deadLetters.push({
      id: this.#tables.nextId(),
      station: external(String(report.station_name)),
      partition: Number(report.partition_number ?? 0),
      sequence: 0,
      groups: [],
      headers: (isJson(message.headers) ? message.headers : {}) as Record<string, string>,
      data: Buffer.from(hex, 'hex'),
      updatedAt: new Date(),
      type: 'schema',
      error: String(report.validation_error),
    });
  }
}
