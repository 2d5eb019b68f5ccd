/** A failure that nobody waits for: seen on its channel by whoever listens, taken by `onError` where there is one. */

import { describeError, MemphisError } from '../model/errors.ts';
import type { OnProduceError } from '../model/options/produce.ts';
import type { FailedMessage } from '../model/receipt.ts';
import { emit } from '../telemetry/channels.ts';

/**
 * Hands a failure to `onError`.
 *
 * @param failed the message; may have more fields than what `onError` gets
 * @throws MemphisError it, when nobody takes it
 */
export async function handFailure(
  error: MemphisError,
  failed: { readonly [Name in keyof FailedMessage]: FailedMessage[Name] | undefined } & { readonly station: string },
  producer: string,
  onError: OnProduceError | undefined,
): Promise<void> {
  const { station, partition, message, headers, msgId, partitionKey } = failed;
  emit('memphis-serverless:produce-failed', () => ({ station, producer, error }));
  if (onError === undefined) throw error;
  try {
    await onError(error, {
      station,
      message,
      ...(partition === undefined ? {} : { partition }),
      ...(headers === undefined ? {} : { headers }),
      ...(msgId === undefined ? {} : { msgId }),
      ...(partitionKey === undefined ? {} : { partitionKey }),
    });
  } catch (cause) {
    const text = `${error.message} Then onError failed: ${describeError(cause)}`;
    throw new MemphisError(error.code, text, { station, cause: error });
  }
}
