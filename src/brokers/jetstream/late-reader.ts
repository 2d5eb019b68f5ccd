/** A reader whose code is loaded when it is first used: functions that only produce have none. */

import type { Reader } from '../../model/broker.ts';

/** @param make loads and makes it */
export function lateReader(make: () => Promise<Reader>): Reader {
  let made: Promise<Reader> | undefined;
  const reader = (): Promise<Reader> => {
    made ??= make();
    return made;
  };
  return {
    pull: async (options) => (await reader()).pull(options),
    destroy: async () => (await reader()).destroy(),
  };
}
