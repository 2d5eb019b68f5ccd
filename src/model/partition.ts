/** Which partition a message goes to. Agrees with the Go and Python clients of Memphis, by table test. Pure. */

import { MemphisError } from './errors.ts';

const SEED = 31; // of the Memphis SDKs

/** MurmurHash3, x86 32 bit, of the key's UTF-8 bytes. */
export function murmur3(key: string, seed: number = SEED): number {
  const bytes = new TextEncoder().encode(key);
  const blocks = bytes.length & ~3;
  let hash = seed;
  const scramble = (word: number): number => {
    const mixed = Math.imul(word, 0xcc9e2d51);
    return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  };
  const at = (index: number): number => bytes[index] ?? 0;
  for (let i = 0; i < blocks; i += 4) {
    hash ^= scramble(at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  if (bytes.length > blocks) hash ^= scramble(at(blocks) | (at(blocks + 1) << 8) | (at(blocks + 2) << 16));
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** What decides on a partition; key and number exclude each other. */
export interface PartitionChoice {
  readonly partition?: number | undefined;
  readonly partitionKey?: string | undefined;
  /** Decides where neither is given: de-duplication is per partition, so a retry must meet its first copy. */
  readonly msgId?: string | undefined;
}

/**
 * The partition that number, key or message id decide on, or nothing when the caller takes turns.
 *
 * @throws MemphisError `INVALID_OPTION` for key and number together, `PARTITION_NOT_FOUND`
 */
export function choosePartition(
  station: string,
  partitions: readonly number[],
  choice: PartitionChoice,
): number | undefined {
  const { partition, partitionKey, msgId } = choice;
  if (partition !== undefined && partitionKey !== undefined) {
    throw new MemphisError('INVALID_OPTION', 'Give either partition or partitionKey, not both.', {
      option: 'partition',
      station,
    });
  }
  if (partition !== undefined) {
    if (partitions.includes(partition)) return partition;
    const range = `${partitions[0]} to ${partitions[partitions.length - 1]}`;
    throw new MemphisError(
      'PARTITION_NOT_FOUND',
      `Station ${station} has no partition ${partition}; it has ${range}.`,
      { station },
    );
  }
  const key = partitionKey ?? msgId;
  if (partitions.length === 1) return partitions[0];
  return key === undefined ? undefined : partitions[murmur3(key) % partitions.length];
}
