/** How many messages to ask each partition for, so that never more than wanted can come. Pure. */

/**
 * Shares a number of messages out among partitions.
 *
 * @param wanted how many may come in all
 * @param first index of the partition that is served first; moves on from pull to pull
 * @returns one number a partition; their sum is at most `wanted`
 */
export function allot(wanted: number, partitions: number, first: number): number[] {
  if (partitions === 1) return [wanted];
  const shares = new Array<number>(partitions).fill(Math.floor(wanted / partitions));
  for (let i = 0; i < wanted % partitions; i++) {
    const at = (first + i) % partitions;
    shares[at] = (shares[at] ?? 0) + 1;
  }
  return shares;
}

/**
 * Shares out among partitions that are known to hold more.
 *
 * @param pending messages known to wait in each partition
 * @returns at most `pending` each, together at most `wanted`
 */
export function allotByPending(wanted: number, pending: readonly number[]): number[] {
  const shares = pending.map(() => 0);
  let left = wanted;
  let open = pending.map((_, index) => index).filter((index) => (pending[index] ?? 0) > 0);
  while (left > 0 && open.length > 0) {
    const each = Math.max(1, Math.floor(left / open.length));
    for (const index of open) {
      const more = Math.min(each, left, (pending[index] ?? 0) - (shares[index] ?? 0));
      shares[index] = (shares[index] ?? 0) + more;
      left -= more;
    }
    open = open.filter((index) => (shares[index] ?? 0) < (pending[index] ?? 0));
  }
  return shares;
}
