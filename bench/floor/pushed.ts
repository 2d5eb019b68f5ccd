/** The floor of a function that is handed its messages: it hands them on and answers that all went well. */

interface PushedEvent {
  readonly messages: readonly { readonly id: string }[];
}

export const handler = async ({ messages }: PushedEvent): Promise<object> => {
  if (messages.some(({ id }) => typeof id !== 'string')) throw new Error('This is no batch.');
  globalThis.benchFirst?.();
  return { batchItemFailures: [] };
};
