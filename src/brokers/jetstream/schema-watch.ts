/**
 * Changes of schemas as they happen, for clients that live long: what is written about stations and schemas is heard on
 * the subjects of the bucket. What is missed there is found by its age (`schemas.ts`).
 */

import type { Connection, Subscription } from '../../connection/port.ts';
import type { JetStreamBroker } from './broker.ts';
import { SCHEMA_MAX_AGE_MS, toStationSchema } from './schemas.ts';
import { BUCKET, keyOf, RECORDS, recordedStation } from './stations.ts';
import { isJson, type Json } from './wire/api.ts';

/** What is heard may be refused by the stream (somebody else was first), so that it is looked at soon. */
const HEARD_AGE_MS = SCHEMA_MAX_AGE_MS - 1_000;

const SCHEMA_PREFIX = `$KV.${BUCKET}.schema.`;

function parse(data: Uint8Array): Json {
  try {
    const record: unknown = JSON.parse(new TextDecoder().decode(data));
    return isJson(record) ? record : {};
  } catch {
    return {}; // deleted, or damaged
  }
}

/** Listens from the first use of a schema on, on whichever connection there is then. @returns ends it */
export function watchSchemas(broker: JetStreamBroker): () => void {
  const { link, schemas } = broker;
  let connection: Connection | undefined;
  let subscriptions: readonly Subscription[] = [];
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
  const listen = async (): Promise<void> => {
    const next = await link.ready(Date.now() + 1);
    if (isOver || next === connection) return;
    // what changed while nobody listened
    if (connection !== undefined) schemas.forget();
    connection = next;
    subscriptions = [
      next.subscribe(RECORDS, { onFrame: ({ subject, data }) => hearStation(recordedStation(subject), parse(data)) }),
      next.subscribe(`${SCHEMA_PREFIX}>`, {
        onFrame: ({ subject, data }) => hearSchema(subject.slice(SCHEMA_PREFIX.length), parse(data)),
      }),
    ];
  };
  schemas.onUse = () => {
    if (connection?.isClosed !== false) void listen().catch(() => {}); // without the right to listen, age has to do
  };
  return () => {
    isOver = true;
    schemas.onUse = undefined;
    if (connection?.isClosed === false) for (const subscription of subscriptions) subscription.end();
  };
}
