/** What the broker is told of this process. */

import { randomId } from '../../connection/memphis-connect.ts';

/** One a process. */
export const APP_ID = randomId();
