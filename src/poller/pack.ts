/** Which messages share an invocation: by count and by encoded size. Pure. */

/** What a synchronous invocation takes as payload, envelope included (Lambda quotas: 6 MB). */
export const INVOKE_LIMIT_BYTES = 6 * 1024 * 1024;

/** Messages of one invocation. */
export interface Pack<Item> {
  readonly items: readonly Item[];
  /** Nothing more goes in, so there is no reason to wait for more. */
  readonly full: boolean;
}

/** What limits a pack. */
export interface PackLimits<Item> {
  /** Items of one pack, at most; 1 and up. */
  readonly batchSize: number;
  readonly limitBytes: number;
  /** Bytes of the envelope around the items. */
  readonly envelopeBytes: number;
  /** Encoded bytes of one item, its separator included. */
  sizeOf(item: Item): number;
}

/**
 * Cuts a list into packs without changing its order. An item that alone is too large gets a pack of its own:
 * whoever invokes decides what becomes of it. Only the last pack can have room left.
 */
export function pack<Item>(items: readonly Item[], limits: PackLimits<Item>): readonly Pack<Item>[] {
  const packs: { items: Item[]; full: boolean }[] = [];
  let open: { items: Item[]; full: boolean } | undefined;
  let bytes = 0;
  for (const item of items) {
    const size = limits.sizeOf(item);
    if (open !== undefined && bytes + size > limits.limitBytes) {
      open.full = true;
      open = undefined;
    }
    if (open === undefined) {
      open = { items: [], full: false };
      packs.push(open);
      bytes = limits.envelopeBytes;
    }
    open.items.push(item);
    bytes += size;
    if (open.items.length >= limits.batchSize || bytes >= limits.limitBytes) {
      open.full = true;
      open = undefined;
    }
  }
  return packs;
}
