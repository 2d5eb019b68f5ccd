/** The consumer function that is measured: as little as a user can write. */

import { withMemphis } from 'memphis-serverless/lambda';

export const handler = withMemphis(async () => globalThis.benchFirst?.(), { station: 's', group: 'g' });
