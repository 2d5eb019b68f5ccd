/** What SDKs of Memphis produced into stations with schemas, and what they got when they read that (`test/fixtures/schemas`). */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StationSchema } from '../../src/model/schema.ts';

interface Recorded {
  readonly update: {
    readonly schema_name: string;
    readonly type: string;
    readonly active_version: Readonly<Record<string, unknown>>;
  };
  readonly messages: readonly {
    readonly case: string;
    readonly base64: string;
    readonly shown: Readonly<Record<string, { readonly err?: string; readonly value?: unknown }>>;
  }[];
}

/** One message as it lay in the station. */
export interface RecordedMessage {
  readonly case: string;
  readonly data: Uint8Array;
  /** What the SDKs that could read it showed. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** The schema as the broker told it, and the messages. */
export function recordedSchema(type: string): {
  readonly schema: StationSchema;
  readonly messages: readonly RecordedMessage[];
} {
  const file = join(import.meta.dirname, '../fixtures/schemas', `${type}.json`);
  const { update, messages } = JSON.parse(readFileSync(file, 'utf8')) as Recorded;
  const { version_number, schema_content, descriptor, message_struct_name } = update.active_version;
  return {
    schema: {
      name: update.schema_name,
      type: update.type,
      version: Number(version_number),
      source: String(schema_content),
      descriptor: String(descriptor),
      messageName: String(message_struct_name),
    },
    messages: messages.map(({ case: name, base64, shown }) => ({
      case: name,
      data: new Uint8Array(Buffer.from(base64, 'base64')),
      values: Object.fromEntries(
        Object.entries(shown)
          .filter(
            ([, { err, value }]) =>
              (err === undefined || err === '') && value !== undefined && value !== null && value !== 'None',
          )
          .map(([sdk, { value }]) => [sdk, value]),
      ),
    })),
  };
}
