/**
 * What the broker itself says of the stations: which messages it stored, whether a group is through, which messages
 * are dead letters. Asked with plain JetStream requests and not through the toolkit, whose work is being checked.
 */

import { connect, type NatsConnection } from '@nats-io/transport-node';

const REQUEST_LIMIT_MS = 2_000;
const REQUESTS_AT_ONCE = 64;

export interface BrokerView {
  /** Whether a group has nothing left to deliver and nothing unsettled, on all partitions. */
  isThrough(station: string, group: string): Promise<boolean>;
  /** The field `id` of every stored message, in order of storing. */
  storedIds(station: string): Promise<string[]>;
  /** How many messages a stream holds; 0 where there is none. */
  countIn(stream: string): Promise<number>;
  /** How many dead letters a station has. */
  countDeadLetters(station: string): Promise<number>;
  /**
   * Reads the dead letters that are new; there where the broker lists the last thousand only, and whoever wants all of
   * them has to look in time.
   */
  readDeadLetters?(station: string): Promise<unknown>;
  /** The field `id` of every dead letter. */
  deadLetterIds(station: string): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * Connects; a broker that is away is waited for.
 *
 * @param access where the broker asks for it
 */
export async function viewBroker(
  url: string,
  access: { readonly user?: string; readonly pass?: string } = {},
): Promise<BrokerView> {
  const connection = await connect({ ...access, servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  const streams = (): Promise<string[]> => streamNames(connection);
  const isOf = (station: string) => (name: string) => name === station || /^\$\d+$/.test(name.slice(station.length));
  const partitions = async (station: string): Promise<string[]> =>
    (await streams()).filter((name) => name.startsWith(station)).filter(isOf(station));

  return {
    async isThrough(station, group) {
      const names = await partitions(station);
      const states = await Promise.all(names.map((stream) => ask(connection, `CONSUMER.INFO.${stream}.${group}`)));
      return names.length > 0 && states.every((state) => state?.num_pending === 0 && state.num_ack_pending === 0);
    },
    async storedIds(station) {
      const names = await partitions(station);
      return (await Promise.all(names.map((stream) => idsIn(connection, stream)))).flat();
    },
    countIn: (stream) => countIn(connection, stream),
    countDeadLetters: (station) => countIn(connection, `${station}$dls`),
    deadLetterIds: (station) => idsIn(connection, `${station}$dls`),
    close: () => connection.close(),
  };
}

type Json = Record<string, unknown>;
const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** One request; nothing when what was asked for does not exist. */
async function ask(connection: NatsConnection, request: string, body?: Json): Promise<Json | undefined> {
  const payload = body === undefined ? '' : JSON.stringify(body);
  const answer: unknown = (
    await connection.request(`$JS.API.${request}`, payload, { timeout: REQUEST_LIMIT_MS })
  ).json();
  if (!isRecord(answer)) throw new Error(`The broker's answer to ${request} is no object.`);
  if (!isRecord(answer.error)) return answer;
  if (answer.error.code === 404) return undefined;
  throw new Error(`The broker refused ${request}: ${String(answer.error.description)}`);
}

async function streamNames(connection: NatsConnection): Promise<string[]> {
  const streams = (await ask(connection, 'STREAM.NAMES', {}))?.streams;
  return Array.isArray(streams) ? streams.map(String) : [];
}

async function countIn(connection: NatsConnection, stream: string): Promise<number> {
  const state = (await ask(connection, `STREAM.INFO.${stream}`))?.state;
  return isRecord(state) ? Number(state.messages) : 0;
}

/** Reads a whole stream, one request a message. */
async function idsIn(connection: NatsConnection, stream: string): Promise<string[]> {
  const state = (await ask(connection, `STREAM.INFO.${stream}`))?.state;
  if (!isRecord(state) || state.messages === 0) return []; // an empty stream says 0 for both ends
  const ids: string[] = [];
  const last = Number(state.last_seq);
  for (let first = Number(state.first_seq); first <= last; first += REQUESTS_AT_ONCE) {
    const sequences = Array.from({ length: Math.min(REQUESTS_AT_ONCE, last - first + 1) }, (_, index) => first + index);
    const answers = await Promise.all(sequences.map((seq) => ask(connection, `STREAM.MSG.GET.${stream}`, { seq })));
    for (const answer of answers) if (isRecord(answer?.message)) ids.push(idOf(String(answer.message.data)));
  }
  return ids;
}

function idOf(base64: string): string {
  const payload: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  return isRecord(payload) ? String(payload.id) : '?';
}
