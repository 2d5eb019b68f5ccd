/**
 * Changes of schemas as they happen, for clients that live long: a consumer of the bucket that ends with them. What is
 * missed there is found by its age (`schemas.ts`). Not on the bucket's own subjects: who listens there takes from
 * everybody the answer that nobody does, by which a bucket is known to be missing.
 */

import type { Connection, Frame, Subscription } from '../../connection/port.ts';
import type { JetStreamBroker } from './broker.ts';
import { SCHEMA_MAX_AGE_MS, toStationSchema } from './schemas.ts';
import { BUCKET, keyOf, recordedStation } from './stations.ts';
import { callApi, isJson, type Json } from './wire/api.ts';

/** What is heard may be refused by the stream (somebody else was first), so that it is looked at soon. */
const HEARD_AGE_MS = SCHEMA_MAX_AGE_MS - 1_000;

const LIMIT_MS = 2_000;
const TRY_EVERY_MS = 5_000;
const STATION_PREFIX = `$KV.${BUCKET}.station.`;
const SCHEMA_PREFIX = `$KV.${BUCKET}.schema.`;

function parse(data: Uint8Array): Json {
  try {
    const record: unknown = JSON.parse(new TextDecoder().decode(data));
    return isJson(record) ? record : {};
  } catch {
    return {}; // deleted, or damaged
  }
}

/*
 * $JS.API.CONSUMER.CREATE.<stream> { stream_name, config: { deliver_policy: new, deliver_subject, ack_policy: none, .. } }
 * Without a name it goes when nobody listens any more.
 */
async function createWatch(connection: Connection, deliverSubject: string): Promise<void> {
  await callApi(connection, {
    subject: `$JS.API.CONSUMER.CREATE.KV_${BUCKET}`,
    body: {
      stream_name: `KV_${BUCKET}`,
      config: {
        deliver_policy: 'new',
        deliver_subject: deliverSubject,
        ack_policy: 'none',
        replay_policy: 'instant',
        mem_storage: true,
        num_replicas: 1,
      },
    },
    attempted: 'watch schemas',
    timeoutMs: LIMIT_MS,
  });
}

/** Listens from the first use of a schema on, on whichever connection there is then. @returns ends it */
export function watchSchemas(broker: JetStreamBroker): () => void {
  const { link, schemas } = broker;
  let connection: Connection | undefined;
  let subscription: Subscription | undefined;
  let tryAgainMs = 0;
  let isOver = false;

  const hearStation = (station: string, { schemaName }: Json): void => {
    if (!schemas.stations.includes(station)) return;
    if (typeof schemaName === 'string' && schemaName !== '') {
      const found = schemas.find(schemaName); // written before it could be attached
      void found.then((schema) => schemas.learn(station, schema, HEARD_AGE_MS)).catch(() => {});
    } else schemas.learn(station, undefined, HEARD_AGE_MS);
  };
  const hearSchema = (key: string, record: Json): void => {
    for (const station of schemas.stations) {
      const name = schemas.current(station)?.name;
      if (name === undefined || keyOf(name) !== key) continue;
      schemas.learn(station, toStationSchema(name, record), HEARD_AGE_MS);
    }
  };
  const hear = ({ subject, data }: Frame): void => {
    if (subject.startsWith(STATION_PREFIX)) hearStation(recordedStation(subject), parse(data));
    if (subject.startsWith(SCHEMA_PREFIX)) hearSchema(subject.slice(SCHEMA_PREFIX.length), parse(data));
  };
  const listen = async (): Promise<void> => {
    const next = await link.ready(Date.now() + LIMIT_MS);
    if (isOver || next === connection) return;
    const listening = next.subscribe('', { onFrame: hear });
    try {
      await createWatch(next, listening.subject);
    } catch (error) {
      if (!next.isClosed) listening.end();
      throw error;
    }
    schemas.outdate(); // what changed while nobody listened
    connection = next;
    subscription = listening;
    if (isOver) end();
  };
  schemas.onUse = () => {
    if (connection?.isClosed === false || Date.now() < tryAgainMs) return;
    // without a bucket there is no schema, and without the right to listen age has to do
    tryAgainMs = Date.now() + TRY_EVERY_MS;
    void listen().catch(() => {});
  };
  const end = (): void => {
    isOver = true;
    schemas.onUse = undefined;
    if (connection?.isClosed === false) subscription?.end();
  };
  return end;
}
