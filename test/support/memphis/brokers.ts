/** Memphis brokers under test: the stand-in always, and the one that `MEMPHIS_TEST_URL` names. */

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

/** What each test runs on. */
export const memphisBrokers: readonly { readonly name: string; open(): Promise<MemphisUnderTest> }[] = [
  { name: 'stand-in', open: openStandIn },
  ...(url === undefined
    ? []
    : [
        {
          name: 'real broker',
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
