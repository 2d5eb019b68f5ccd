/** Turns batches of the station into invocations of the consumer, until shortly before its own deadline. */
import { pollerHandler } from 'memphis-serverless/poller';

export const handler = pollerHandler({
  mappings: [
    {
      name: 'orders-to-billing',
      station: 'orders',
      group: 'billing',
      functionName: process.env.BILLING_FUNCTION ?? 'billing',
      batchSize: 50,
      batchWindowMs: 100,
      maximumConcurrency: 4,
      maximumRetryAttempts: 3,
    },
  ],
});
