/** JetStream's API as it is, for tests that look behind the client. */

import { openLean } from '../../src/connection/lean/session.ts';

/** The reply of one API request, errors and all. */
export type RawApi = (
  subject: string,
  body?: unknown,
) => Promise<Readonly<Record<string, unknown>> & { readonly error?: { readonly err_code: number } }>;

/** Runs something with a connection of its own to the API of a broker. */
export async function withRawApi<T>(port: number, run: (api: RawApi) => Promise<T>): Promise<T> {
  const connection = openLean({ server: `127.0.0.1:${port}`, name: 'test', timeoutMs: 2_000 });
  try {
    return await run(async (subject, body) => {
      const data = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body));
      const frame = await connection.request(`$JS.API.${subject}`, data, { timeoutMs: 5_000 });
      return JSON.parse(new TextDecoder().decode(frame.data));
    });
  } finally {
    await connection.close();
  }
}
