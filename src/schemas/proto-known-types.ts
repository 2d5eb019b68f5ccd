/** Messages that protobuf brings along, in the forms that its JSON mapping has for them. */

const PREFIX = 'google.protobuf.';
const wrapped = ' Double Float Int64 UInt64 Int32 UInt32 Bool String Bytes ';

/** @returns the value as a message; itself where it is in no such form */
export function fromJsonForm(message: string, value: unknown): unknown {
  if (!message.startsWith(PREFIX)) return value;
  const own = message.slice(PREFIX.length);
  const isBare = typeof value !== 'object' || value instanceof Uint8Array;
  if (own.endsWith('Value') && wrapped.includes(` ${own.slice(0, -5)} `)) return isBare ? { value } : value;
  if (own === 'Timestamp') return fromTime(value);
  if (own === 'Duration') return fromDuration(value);
  if (own === 'FieldMask') return fromMask(value);
  // objects are not taken for structures: they could be the messages themselves, and mean something else
  if (own === 'ListValue') return Array.isArray(value) ? { values: value } : value;
  return own === 'Value' ? fromAny(value) : value;
}

/** Text, numbers, lists, true, false and null. */
function fromAny(value: unknown): unknown {
  if (value === null) return { nullValue: 0 };
  if (Array.isArray(value)) return { listValue: value };
  const field = { string: 'stringValue', number: 'numberValue', boolean: 'boolValue' }[typeof value as 'string'];
  return field === undefined ? value : { [field]: value };
}

/** A text such as `id,firstLine.name`. */
function fromMask(value: unknown): unknown {
  if (typeof value !== 'string' || !/^[a-zA-Z0-9.,]*$/.test(value)) return value;
  const paths = value.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).split(',');
  return { paths: value === '' ? [] : paths };
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
