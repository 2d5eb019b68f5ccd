/** Batches through the schema of their station. */

import type { Batch } from '../model/batch.ts';
import { isMemphisError, type MemphisError } from '../model/errors.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Settled } from '../model/outcome.ts';
import type { CompiledSchema } from '../model/schema.ts';
import type { OnInvalid, Sifted, SiftResult } from '../model/schema-reader.ts';

/** Delay of what is retried because it does not fit: its schema may change, but not at once. */
const RETRY_MS = 60_000;

/**
 * Decodes each message once; those that do not fit are settled, and are not among those handed on. What else a codec throws
 * is not the message's fault: whoever asks for its value meets that error.
 */
export async function sift(batch: Batch, schema: CompiledSchema, onInvalid: OnInvalid): Promise<Sifted> {
  const reads = new Map<StoredMessage, { readonly value: unknown } | { readonly error: unknown }>();
  const unfit: { readonly message: StoredMessage; readonly error: MemphisError }[] = [];
  const { ackWaitMs = Number.POSITIVE_INFINITY } = batch;
  let extendAtMs = Date.now() + ackWaitMs / 3;
  for (const message of batch.messages) {
    if (Date.now() >= extendAtMs) {
      // validators may ask somebody; no handler runs yet that would keep the messages
      await batch.extend(batch.messages).catch(() => {});
      extendAtMs = Date.now() + ackWaitMs / 3;
    }
    try {
      reads.set(message, { value: await schema.decode(message.data) });
    } catch (error) {
      if (isMemphisError(error, 'SCHEMA_VIOLATION')) unfit.push({ message, error });
      else reads.set(message, { error });
    }
  }
  const decode: Batch['decode'] = (message) => {
    const read = reads.get(message);
    if (read !== undefined && 'error' in read) throw read.error;
    return read;
  };
  if (unfit.length === 0 || onInvalid === 'pass') return { batch: { ...batch, decode } };
  const settled = Promise.all(
    unfit.map(({ message, error }) => {
      const reason = error.message;
      return batch.settle(
        message,
        onInvalid === 'retry' ? { action: 'retry', delayMs: RETRY_MS, reason } : { action: 'deadLetter', reason },
      );
    }),
  );
  const result = settled.then((ends) => toResult(ends, unfit));
  result.catch(() => {}); // for whoever looks at it
  const fit = batch.messages.filter((message) => reads.has(message));
  return { batch: { ...batch, messages: fit, decode }, unfit: result };
}

function toResult(
  ends: readonly Settled[],
  unfit: readonly { readonly message: StoredMessage; readonly error: MemphisError }[],
): SiftResult {
  const counts = { acked: 0, retried: 0, deadLettered: 0, givenBack: 0 };
  for (const end of ends) counts[end] += 1;
  const failures = unfit.map(({ message, error }) => ({ id: message.id, reason: error.message }));
  return { received: ends.length, ...counts, failures, error: unfit[0]?.error };
}
