/** What every producing function does with its event. */

/** The event of a producing function. */
export interface Work {
  /** How many messages. Default: 1 */
  readonly count?: number;
  /** Size of each. Default: 100 */
  readonly bytes?: number;
  /** Whether none waits for the one before. */
  readonly isPipelined?: boolean;
  /** Begin of the ids of messages; left out: they have none. */
  readonly id?: string;
}

/** Hands every message to `produce`, one after the other or all at once. */
export async function produceAll(
  { count = 1, bytes = 100, isPipelined = false, id }: Work,
  produce: (data: Buffer, id?: string) => Promise<unknown>,
): Promise<void> {
  const data = Buffer.alloc(bytes, 'x');
  const one = (index: number) => produce(data, id === undefined ? undefined : `${id}.${index}`);
  if (isPipelined) await Promise.all(Array.from({ length: count }, (_, index) => one(index)));
  else for (let index = 0; index < count; index++) await one(index);
}
