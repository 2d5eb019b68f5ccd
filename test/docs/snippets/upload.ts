import { withProducer } from 'memphis-serverless/lambda';

export const handler = withProducer(
  async (event: { readonly key: string }, context) => {
    await context.produce({ key: event.key }, { msgId: event.key });
  },
  { station: 'uploads' },
);
