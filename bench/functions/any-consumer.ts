/** The consumer function of a group that its environment names. */

import { withMemphis } from 'memphis-serverless/lambda';

export const handler = withMemphis(async () => {}, { station: 's' });
