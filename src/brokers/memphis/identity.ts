/** What the broker is told of this process. */

import { randomId } from '../../connection/memphis-connect.ts';

/** One a process. */
export const APP_ID = randomId();

/** The producer in whose name a station is only looked at. */
export const LOOKING = 'memphis-serverless-look';
