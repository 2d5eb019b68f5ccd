/** What a message carries that was set aside by us, in its row and when it is resent: why, and where it was. */

/** Names that begin otherwise than with `$memphis` show in the broker's interface. */
export const dlsHeader = {
  reason: 'memphis-dls-reason',
  group: '$memphis_dls_group',
  deliveries: '$memphis_dls_deliveries',
  storedAt: '$memphis_dls_stored_at',
  stream: '$memphis_dls_stream',
  sequence: '$memphis_dls_sequence',
} as const;
