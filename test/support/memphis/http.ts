/** The HTTP API of the stand-in, as far as dead letters and settings go (memphis-wire 10.3). */

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { DeadLetterTable } from './dead-letters.ts';
import type { DeadLetterRow, Tables } from './tables.ts';

export interface Api extends AsyncDisposable {
  readonly url: string;
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : JSON.parse(text);
}

const light = (row: DeadLetterRow) => ({
  message_seq: row.sequence,
  id: row.id,
  message: {
    time_sent: row.updatedAt.toISOString(),
    size: row.data.length,
    data: row.data.toString('hex').slice(0, 80),
    headers: row.headers,
  },
});

export async function startApi(
  tables: Tables,
  letters: DeadLetterTable,
  access: { readonly username: string; readonly password: string },
): Promise<Api> {
  const answer = (path: string, query: URLSearchParams, body: Record<string, unknown>): [number, unknown] => {
    const name = String(query.get('station_name') ?? body.station_name ?? '').toLowerCase();
    const station = tables.stations.get(name);
    switch (path) {
      case '/api/stations/getStation':
      case '/api/monitoring/getStationOverviewData': {
        if (station === undefined) return [406, { message: `Station ${name} does not exist` }];
        const partition = Number(query.get('partition_number') ?? -1);
        const rows = tables.deadLetters.filter(
          (row) => row.station === name && row.type === 'poison' && (partition === -1 || row.partition === partition),
        );
        return [
          200,
          {
            name,
            dls_configuration: { poison: station.poison, schemaverse: station.schemaverse },
            dls_station: station.dlsStation,
            tiered_storage_enabled: false,
            poison_messages: rows.map(light).reverse(),
            schema_failed_messages: tables.deadLetters
              .filter((row) => row.station === name && row.type === 'schema')
              .map(light)
              .reverse(),
          },
        ];
      }
      case '/api/stations/getPoisonMessageJourney': {
        const row = tables.deadLetters.find(({ id }) => id === Number(query.get('message_id')));
        // of a group without members at the station the broker falls over its own index
        if (row?.groups.every((group) => tables.membersOf(row.station, group).length > 0) !== true) return [500, {}];
        return [
          200,
          {
            id: row.id,
            message_seq: row.sequence,
            poisoned_cgs: row.groups.map((group) => ({
              cg_name: group,
              max_msg_deliveries: tables.membersOf(row.station, group)[0]?.maxDeliveries,
            })),
            message: { time_sent: '', size: row.data.length, data: row.data.toString('hex'), headers: {} },
            updated_at: row.updatedAt.toISOString(),
            validation_error: row.error,
          },
        ];
      }
      case '/api/stations/dropDlsMessages': {
        const ids = body.dls_message_ids as number[];
        tables.deadLetters = tables.deadLetters.filter(({ id }) => !ids.includes(id));
        return [200, {}];
      }
      case '/api/stations/resendPoisonMessages':
        letters.resend(body.poison_message_ids as number[]);
        return [200, {}];
      case '/api/schemas/getSchemaDetails': {
        const schema = tables.schemas.get(String(query.get('schema_name')));
        if (schema === undefined) return [406, { message: 'Schema does not exist' }];
        const versions = schema.versions.map(({ content, createdAt }, index) => ({
          version_number: index + 1,
          active: index + 1 === schema.active,
          created_at: createdAt.toISOString(),
          schema_content: content,
          message_struct_name: '',
        }));
        return [200, { schema_name: schema.name, type: schema.type, versions: versions.reverse() }];
      }
      case '/api/schemas/getAllSchemas':
        return [
          200,
          [...tables.schemas.values()].map((row) => ({
            name: row.name,
            type: row.type,
            active_version_number: row.active,
          })),
        ];
      case '/api/schemas/rollBackVersion': {
        const schema = tables.schemas.get(String(body.schema_name));
        if (schema === undefined) return [406, { message: 'Schema does not exist' }];
        schema.active = Number(body.version_number);
        return [200, {}];
      }
      case '/api/schemas/removeSchema':
        for (const one of body.schema_names as string[]) {
          tables.schemas.delete(one);
          for (const row of tables.stations.values()) if (row.schema === one) row.schema = '';
        }
        return [200, {}];
      default:
        return [404, {}];
    }
  };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1');
    const body = await bodyOf(request);
    const isIn = request.headers.authorization === 'Bearer jwt';
    let [status, reply] = isIn ? answer(url.pathname, url.searchParams, body) : [401, {}];
    if (url.pathname === '/api/usermgmt/login') {
      const isRight = body.username === access.username && body.password === access.password;
      [status, reply] = isRight ? [200, { jwt: 'jwt' }] : [401, {}];
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
