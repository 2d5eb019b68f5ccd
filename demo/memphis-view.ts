/** What a Memphis broker says of the stations: messages and groups as on any NATS server, dead letters by its HTTP API. */

import { type BrokerView, viewBroker } from './broker-view.ts';

const REQUEST_LIMIT_MS = 5_000;
/** What dead letters are made of; the broker reads it in rounds of five seconds, and once more after 80 s where it died meanwhile. */
export const NOTICES = '$memphis_dls_unacked';
export const ROWS_LIMIT_MS = 120_000;

/** That of `MEMPHIS_TEST_URL`, else the one of compose.yaml. */
export const memphisUrl = (): string => process.env.MEMPHIS_TEST_URL ?? 'memphis://root:memphis@127.0.0.1:6666';

interface Row {
  readonly id: number;
  readonly message: { readonly data: string };
}

/** Connects; a broker that is away is waited for. */
export async function viewMemphis(url: string): Promise<BrokerView> {
  const { hostname, host, username, password } = new URL(url.replace(/^memphis:/, 'http:'));
  const api = process.env.MEMPHIS_API_URL ?? `http://${hostname}:9000`;
  const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)];
  const view = await viewBroker(`nats://${host}`, { user, pass });
  let token = await logIn(api, user, pass);
  const ask = async (path: string): Promise<Record<string, unknown>> => {
    const get = (): Promise<Response> => {
      const headers = { authorization: `Bearer ${token}` };
      return fetch(`${api}/api/${path}`, { headers, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
    };
    let answer = await get();
    if (answer.status === 401) {
      token = await logIn(api, user, pass); // one holds for a quarter of an hour
      answer = await get();
    }
    if (!answer.ok) throw new Error(`${path}: the broker's HTTP API answers ${answer.status}.`);
    return (await answer.json()) as Record<string, unknown>;
  };
  const rows = async (station: string): Promise<readonly Row[]> => {
    const found = await ask(`monitoring/getStationOverviewData?station_name=${station}&partition_number=-1`);
    return Array.isArray(found.poison_messages) ? found.poison_messages : [];
  };
  const seen = new Map<string, Map<number, string>>();
  const readDeadLetters = async (station: string): Promise<number> => {
    const ids = seen.get(station) ?? new Map<number, string>();
    seen.set(station, ids);
    const fresh = (await rows(station)).filter(({ id }) => !ids.has(id));
    for (const { id } of fresh) ids.set(id, await idOf(ask, id));
    return fresh.length;
  };
  return {
    ...view,
    countDeadLetters: async (station) => (await rows(station)).length,
    readDeadLetters,
    deadLetterIds: async (station) => {
      await untilRowsAreMade(view);
      await readDeadLetters(station);
      return [...(seen.get(station)?.values() ?? [])];
    },
  };
}

async function untilRowsAreMade(view: BrokerView): Promise<void> {
  for (const untilMs = Date.now() + ROWS_LIMIT_MS; Date.now() < untilMs; ) {
    if ((await view.countIn(NOTICES)) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function idOf(ask: (path: string) => Promise<Record<string, unknown>>, row: number): Promise<string> {
  const { message } = await ask(`stations/getPoisonMessageJourney?message_id=${row}`);
  const { data } = message as { readonly data: string };
  return String(JSON.parse(Buffer.from(data, 'hex').toString('utf8')).id);
}

async function logIn(api: string, username: string, password: string): Promise<string> {
  const response = await fetch(`${api}/api/usermgmt/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
  });
  const { jwt } = (await response.json()) as { readonly jwt?: string };
  if (jwt === undefined) throw new Error(`The broker's HTTP API at ${api} lets ${username} not in.`);
  return jwt;
}
