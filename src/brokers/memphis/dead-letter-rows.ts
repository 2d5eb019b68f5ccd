/** Rows of a broker's dead letters -> dead letters as users see them. A row is one message, of one or more groups. */

import type { HeaderList } from '../../connection/port.ts';
import type { DeadLetterRecord } from '../../model/dead-letter.ts';
import { murmur3 } from '../../model/partition.ts';
import { originalHeaders } from '../jetstream/dead-letter-record.ts';
import { decodeKey } from '../jetstream/delivery.ts';
import { headerOf, toUserHeaders } from '../jetstream/headers.ts';
import { streamOf } from '../jetstream/stations.ts';
import { isJson, type Json } from '../jetstream/wire/api.ts';
import { dlsHeader } from './dls-headers.ts';

/** Groups of one row have ids of their own: behind the row's, by their names, so that they stay when others go. */
const GROUPS = 2 ** 20;

export function rowIdOf(id: number): number {
  return Math.floor(id / GROUPS);
}
export function idOf(row: number, group: string): number {
  return row * GROUPS + (murmur3(group) % GROUPS);
}

function count(text: string | undefined): number {
  const number = Number(text);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}

/** Lists show so many hexadecimal digits of a payload. */
const CUT_AT = 80;

/** A row in the list of a station: headers are all there, a payload of 40 bytes or more is cut. */
export interface Row {
  readonly id: number;
  readonly sequence: number;
  readonly headers: HeaderList;
  readonly timeSent: string;
  /** The payload, where the list does not cut it. */
  readonly whole?: Uint8Array;
  /** Where the row tells it, or the list was that of one partition; else 0. */
  readonly partition: number;
}

/* getStationOverviewData: { poison_messages: [{ id, message_seq, message: { time_sent, size, data (80 digits), headers } }], schema_failed_messages } */
export function parseRows(
  overview: unknown,
  ofPartition = 0,
  list: 'poison_messages' | 'schema_failed_messages' = 'poison_messages',
): readonly Row[] {
  const rows = isJson(overview) ? overview[list] : undefined;
  return (Array.isArray(rows) ? rows : [])
    .filter(isJson)
    .map((row) => {
      const message: Json = isJson(row.message) ? row.message : {};
      const digits = String(message.data ?? '');
      const headers = Object.entries(isJson(message.headers) ? message.headers : {}).map(
        ([name, value]) => [name, String(value)] as const,
      );
      return {
        id: Number(row.id),
        sequence: Number(row.message_seq ?? 0),
        headers,
        partition: count(/\$(\d+)$/.exec(headerOf(headers, dlsHeader.stream) ?? '')?.[1]) || ofPartition,
        timeSent: String(message.time_sent ?? ''),
        ...(digits.length < CUT_AT ? { whole: new Uint8Array(Buffer.from(digits, 'hex')) } : {}),
      };
    })
    .sort((a, b) => a.id - b.id);
}

/** What a row has besides. */
export interface RowDetails {
  readonly groups: readonly { readonly name: string; readonly maxDeliveries: number }[];
  readonly data: Uint8Array;
  readonly updatedAt: Date;
  readonly error: string;
}

/* getPoisonMessageJourney: { poisoned_cgs: [{ cg_name, max_msg_deliveries }], message: { data: hex }, updated_at, validation_error } */
export function parseDetails(journey: unknown): RowDetails {
  const details: Json = isJson(journey) ? journey : {};
  const message: Json = isJson(details.message) ? details.message : {};
  const groups = Array.isArray(details.poisoned_cgs) ? details.poisoned_cgs.filter(isJson) : [];
  return {
    groups: groups.map((group) => ({
      name: String(group.cg_name),
      maxDeliveries: Number(group.max_msg_deliveries ?? 0),
    })),
    data: new Uint8Array(Buffer.from(String(message.data ?? ''), 'hex')),
    updatedAt: new Date(String(details.updated_at)),
    error: String(details.validation_error ?? ''),
  };
}

/** What the list alone says of a row that was set aside by us, with its payload: the group that was first. */
export function detailsOf({ headers, timeSent }: Row, data: Uint8Array): RowDetails | undefined {
  const name = headerOf(headers, dlsHeader.group);
  return name === undefined
    ? undefined
    : { groups: [{ name, maxDeliveries: 0 }], data, updatedAt: new Date(timeSent), error: '' };
}

/** A row has the words of the group that was first; what was said for others is kept nowhere. */
const NOT_KEPT = 'not known: another group set it aside before, and the broker keeps one reason for all';
const RAN_OUT = 'no deliveries left, and the last one ended without an answer';

/** A row as dead letters, one a group. What deliveries ran out of by themselves says less of itself. */
export function toRecords(station: string, row: Row, details: RowDetails): readonly DeadLetterRecord[] {
  const { headers, partition } = row;
  const of = (name: keyof typeof dlsHeader): string | undefined => headerOf(headers, dlsHeader[name]);
  const sequence = count(of('sequence')) || row.sequence;
  const storedMs = Date.parse(of('storedAt') ?? row.timeSent);
  const key = headerOf(headers, '$memphis_partitionKey');
  const first = of('group');
  const isOf = (group: string): boolean => first === undefined || first === group;
  return details.groups.map(({ name: group, maxDeliveries }) => ({
    id: idOf(row.id, group),
    station,
    group,
    messageId: `${streamOf(station, partition)}:${sequence}`,
    partition,
    sequence,
    // what ran out by itself had all that its group allows
    deliveryCount: (isOf(group) && count(of('deliveries'))) || maxDeliveries,
    timestamp: new Date(Number.isNaN(storedMs) ? 0 : storedMs),
    setAsideAt: details.updatedAt,
    reason: isOf(group) ? (of('reason') ?? (details.error || RAN_OUT)) : NOT_KEPT,
    headers: toUserHeaders(headersBefore(row)),
    ...(key === undefined ? {} : { partitionKey: decodeKey(key) }),
    data: details.data,
  }));
}

/** The headers that the message had. */
export function headersBefore({ headers }: Row): HeaderList {
  return originalHeaders(headers).filter(([name]) => name !== dlsHeader.reason);
}
