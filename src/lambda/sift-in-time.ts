/** Reading messages by a schema, within the time for work: a validator may ask somebody, and never hear of it. */

import { Deadline } from '../batch/run-timers.ts';
import type { Batch } from '../model/batch.ts';
import type { OnInvalid, SchemaReader, Sifted } from '../model/schema-reader.ts';
import { siftBatch } from '../schemas/registry.ts';

/** In place of a handler that is not called since time is up: what it would have got is put back for that reason. */
export function neverEnds(): Promise<never> {
  return new Promise(() => {});
}

/** @returns nothing where time was up before; what is found out after that counts no more */
export async function siftInTime(
  batch: Batch,
  { schema, onInvalid }: { readonly schema?: SchemaReader | undefined; readonly onInvalid: OnInvalid },
  workMs: number,
): Promise<Sifted | undefined> {
  let isLate = false;
  const inTime: Batch = {
    ...batch,
    settleAll: undefined,
    settle: (...given) => (isLate ? neverEnds() : batch.settle(...given)),
    extend: (...given) => (isLate ? neverEnds() : batch.extend(...given)),
  };
  const sifting = siftBatch(inTime, schema, onInvalid).then((sifted) => sifted ?? { batch });
  const over = Promise.withResolvers<undefined>();
  const deadline = new Deadline();
  Deadline.start(deadline, workMs, () => over.resolve(undefined));
  const sifted = await Promise.race([sifting, over.promise]);
  Deadline.stop(deadline);
  isLate = sifted === undefined;
  return sifted;
}
