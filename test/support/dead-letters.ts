/** Reads a station's dead letters straight off their stream, by an ordinary durable of the test's own. */

import { deadLetterStreamOf } from '../../src/brokers/jetstream/stations.ts';
import { callApi, isJson } from '../../src/brokers/jetstream/wire/api.ts';
import { openLean } from '../../src/connection/lean/session.ts';

export interface FoundDeadLetter {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** All dead letters of a station, oldest first. */
export async function readDeadLetters(port: number, station: string): Promise<FoundDeadLetter[]> {
  const connection = openLean({ server: `127.0.0.1:${port}`, name: 'test', timeoutMs: 2_000 });
  const stream = deadLetterStreamOf(station);
  const found: FoundDeadLetter[] = [];
  try {
    const info = await callApi(connection, `STREAM.INFO.${stream}`, 'look', 2_000);
    const last = isJson(info.state) ? Number(info.state.last_seq) : 0;
    for (let seq = 1; seq <= last; seq++) {
      const reply = await callApi(connection, `STREAM.MSG.GET.${stream}`, 'read', 2_000, { seq });
      const message = isJson(reply.message) ? reply.message : {};
      const lines = Buffer.from(String(message.hdrs ?? ''), 'base64')
        .toString()
        .split('\r\n')
        .slice(1);
      found.push({
        text: Buffer.from(String(message.data ?? ''), 'base64').toString(),
        headers: Object.fromEntries(
          lines
            .filter(Boolean)
            .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
        ),
      });
    }
  } finally {
    await connection.close();
  }
  return found;
}
