/** Memphis brokers under test: the stand-in always, and the one that `MEMPHIS_TEST_URL` names. */

import { isBefore } from '../../../src/brokers/jetstream/server-version.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

export interface MemphisUnderTest extends AsyncDisposable {
  readonly url: string;
  readonly apiUrl?: string;
  /** Nothing on a real one. */
  readonly standIn?: StandIn;
}

const { MEMPHIS_TEST_URL: url, MEMPHIS_API_URL: apiUrl } = process.env;

async function openStandIn(): Promise<MemphisUnderTest> {
  const standIn = await startStandIn();
  return {
    url: standIn.url,
    apiUrl: standIn.apiUrl,
    standIn,
    [Symbol.asyncDispose]: () => standIn[Symbol.asyncDispose](),
  };
}

/** Which release the real one is. */
async function versionOf(api: string): Promise<string> {
  const response = await fetch(`${api}/api/monitoring/getClusterInfo`);
  return ((await response.json()) as { version: string }).version;
}

const isOld = url !== undefined && isBefore(await versionOf(apiUrl ?? `http://${new URL(url).hostname}:9000`), 1, 3, 1);

/** What each test runs on. Old ones know neither stations that are `ack_based` nor linked ones. */
export const memphisBrokers: readonly {
  readonly name: string;
  readonly isOld: boolean;
  open(): Promise<MemphisUnderTest>;
}[] = [
  { name: 'stand-in', isOld: false, open: openStandIn },
  ...(url === undefined
    ? []
    : [
        {
          name: 'real broker',
          isOld,
          open: async () => ({
            url,
            ...(apiUrl === undefined ? {} : { apiUrl }),
            [Symbol.asyncDispose]: async () => {},
          }),
        },
      ]),
];

let made = 0;
/** A name that no earlier run has used either. */
export const freshName = (what: string): string => `${what}.${Date.now().toString(36)}-${process.pid}-${made++}`;
