/** What the broker is told of this process. */

import { randomId } from '../../connection/memphis-connect.ts';

let id: string | undefined;

/** One a process; made when it is first told. */
export function appIdOfProcess(): string {
  id ??= randomId();
  return id;
}

/** The producer in whose name a station is only looked at. */
export const LOOKING = 'memphis-serverless-look';
