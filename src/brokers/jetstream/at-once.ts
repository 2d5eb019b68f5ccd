/** Many requests of one kind: some at the same time, never all. */

/** So many are under way together, unless stated: enough to hide round trips, few enough for any broker. */
const AT_ONCE = 32;

/**
 * What a function makes of each item, in the order of the items. After the first failure nothing more is begun, and it
 * is thrown when all that is under way has ended.
 */
export async function mapAtOnce<T, R>(
  items: readonly T[],
  run: (item: T, index: number) => Promise<R>,
  atOnce: number = AT_ONCE,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const failures: unknown[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await run(items[index] as T, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  if (failures.length > 0) throw failures[0];
  return results;
}
