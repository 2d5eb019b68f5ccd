/** Messages that protobuf brings along, in the forms that its JSON mapping has for them. */

const wrappers = /^google\.protobuf\.(Double|Float|Int64|UInt64|Int32|UInt32|Bool|String|Bytes)Value$/;

/** @returns the value as a message; itself where it is in no such form */
export function fromJsonForm(message: string, value: unknown): unknown {
  if (!message.startsWith('google.protobuf.')) return value;
  const isBare = typeof value !== 'object' || value instanceof Uint8Array;
  if (wrappers.test(message)) return isBare ? { value } : value;
  if (message === 'google.protobuf.Timestamp') return fromTime(value);
  if (message === 'google.protobuf.Duration') return fromDuration(value);
  return value;
}

/** A `Date`, or a text such as `2026-01-01T00:00:00.000000001Z`. */
function fromTime(value: unknown): unknown {
  if (value instanceof Date) {
    const ms = value.getTime();
    const seconds = Math.floor(ms / 1_000);
    return Number.isNaN(ms) ? value : { seconds, nanos: (ms - seconds * 1_000) * 1_000_000 };
  }
  const [, whole, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(String(value)) ?? [];
  const ms = typeof value === 'string' ? Date.parse(`${whole}${zone}`) : Number.NaN;
  return Number.isNaN(ms) ? value : { seconds: ms / 1_000, nanos: Number(fraction.padEnd(9, '0')) };
}

/** A text such as `1.5s`. */
function fromDuration(value: unknown): unknown {
  const [, sign, whole, fraction = ''] =
    /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(typeof value === 'string' ? value : '') ?? [];
  if (whole === undefined) return value;
  const factor = sign === '-' ? -1 : 1;
  return { seconds: factor * Number(whole), nanos: factor * Number(fraction.padEnd(9, '0')) };
}
