/**
 * Changes of schemas as they happen, for clients that live long: who changes one says so on a subject of its own, once the
 * change is stored. What is missed there, or changed by other tools in silence, is found by its age (`schemas.ts`).
 *
 * Not on the bucket's own subjects: who listens there takes from everybody the answer that nobody does, by which a bucket
 * is known to be missing. And no consumer of the bucket: each client would bring one more through every election.
 */

import type { Link } from '../../connection/link.ts';
import type { Connection, Subscription } from '../../connection/port.ts';
import type { StationSchemas } from '../../model/schema-look-up.ts';
import type { Schemas } from './schemas.ts';
import { encodeJson, isJson, type Json } from './wire/api.ts';

/** `{ station }` has another schema, or `{ schema }` has another version. No stream takes it. */
export const SCHEMA_UPDATES = '$memphis_serverless.schema_updates';

const LIMIT_MS = 2_000;

function parse(data: Uint8Array): Json {
  try {
    const told: unknown = JSON.parse(new TextDecoder().decode(data));
    return isJson(told) ? told : {};
  } catch {
    return {};
  }
}

/** Tells whoever listens of a change that is stored. Best effort. */
export async function tellSchemaUpdate(
  link: Link,
  what: { readonly station: string } | { readonly schema: string },
): Promise<void> {
  try {
    (await link.ready(Date.now() + LIMIT_MS)).publish(SCHEMA_UPDATES, encodeJson(what));
  } catch {
    // found by its age
  }
}

/** Looks at what is told to have changed; a look that was under way may have come before. Never rejects. */
async function lookAgain(schemas: Schemas, station: string): Promise<void> {
  await schemas.looking(station);
  schemas.outdate(station);
  await schemas.refresh(station);
}

/** Whether it is what comes with the codecs. */
export function canBeWatched(schemas: StationSchemas | undefined): schemas is Schemas {
  return schemas !== undefined && 'outdate' in schemas;
}

/** Listens from the first use of a schema on, on whichever connection there is then. @returns ends it */
export function watchSchemas(schemas: Schemas): () => void {
  const { link } = schemas;
  let connection: Connection | undefined;
  let subscription: Subscription | undefined;
  let isOver = false;

  const hear = ({ station, schema }: Json): void => {
    for (const known of schemas.stations) {
      if (known === station || (schema !== undefined && schemas.current(known)?.name === schema)) {
        void lookAgain(schemas, known);
      }
    }
  };
  const listen = async (): Promise<void> => {
    const next = await link.ready(Date.now() + LIMIT_MS);
    if (isOver || next === connection) return;
    subscription = next.subscribe(SCHEMA_UPDATES, { onFrame: ({ data }) => hear(parse(data)) });
    connection = next;
    for (const station of schemas.stations) schemas.outdate(station); // what changed while nobody listened
  };
  schemas.onUse = () => {
    if (connection?.isClosed !== false) void listen().catch(() => {}); // without a connection there is nothing to use either
  };
  return () => {
    isOver = true;
    schemas.onUse = undefined;
    if (connection?.isClosed === false) subscription?.end();
  };
}
