/** An API function that stores what it is sent: its bundle is looked at, and it is not run. */

import { produceHandler } from 'memphis-serverless/lambda';

export const handler = produceHandler({ station: 's' });
