/** Messages of protobuf as a table: what encoding and decoding need, and nothing else. Plain data, also as JSON. */

/** Types as descriptors number them; 11 is a message, 14 an enum, 10 a group. */
export const protoType = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  group: 10,
  message: 11,
  bytes: 12,
  uint32: 13,
  enum: 14,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
} as const;

export interface ProtoField {
  /** As JSON names it: `firstLine`. */
  readonly name: string;
  /** As the source names it, where that is another: `first_line`. */
  readonly original?: string;
  readonly number: number;
  /** See {@link protoType}. */
  readonly type: number;
  /** Of messages and enums: which, in their table. */
  readonly of?: number;
  readonly isMany?: true;
  /** Of lists: one tag for all values. */
  readonly isPacked?: true;
  /** Of maps: the entry is the message `of`. */
  readonly isMap?: true;
  /** Whether it is told from its default: written also where it is 0, and left out of a value where it was not there. */
  readonly hasPresence?: true;
  readonly isRequired?: true;
  readonly oneof?: string;
}

export interface ProtoMessage {
  readonly name: string;
  /** Ascending. */
  readonly fields: readonly ProtoField[];
}

export interface ProtoEnum {
  readonly values: readonly (readonly [name: string, number: number])[];
  /** Numbers without a name are none. */
  readonly isClosed?: true;
}

export interface ProtoTable {
  /** The message that the station's messages are. */
  readonly root: number;
  readonly messages: readonly ProtoMessage[];
  readonly enums: readonly ProtoEnum[];
}

/** How a field stands on the wire. */
export function wireTypeOf({ type }: ProtoField): number {
  return Number('0150001502322005100'[type] ?? 0);
}

/** The value that a field has which is not there; of those that are neither messages nor groups. */
export function defaultOf(table: ProtoTable, { type, of = 0 }: ProtoField): unknown {
  if (type === 14) return table.enums[of]?.values[0]?.[0] ?? 0;
  return type === 12
    ? new Uint8Array()
    : type === 9
      ? ''
      : type === 8
        ? false
        : [3, 4, 6, 16, 18].includes(type)
          ? 0n
          : 0;
}

/** Whether something is a table, as far as reading it is safe. */
export function isProtoTable(value: unknown): value is ProtoTable {
  const { root, messages, enums } = (value ?? {}) as Partial<ProtoTable>;
  if (!Array.isArray(messages) || !Array.isArray(enums) || messages[root ?? -1] === undefined) return false;
  return (
    messages.every(
      ({ fields }: ProtoMessage) =>
        Array.isArray(fields) &&
        fields.every(
          ({ type, of = 0, number }) =>
            Number.isInteger(number) &&
            (type === 11 || type === 10 ? messages[of] : type === 14 ? enums[of] : type) !== undefined,
        ),
    ) && enums.every(({ values }: ProtoEnum) => Array.isArray(values))
  );
}

/**
 * Finds the message that a station means (memphis-wire 7.2): by full name, within the package, then by the last part;
 * without a name the first one of the file.
 *
 * @param names full names of all messages, in the order of the file
 */
export function findMessage(names: readonly string[], packageName: string, wanted: string | undefined): number {
  if (wanted === undefined || wanted === '') return names.length === 0 ? -1 : 0;
  const bare = wanted.replace(/^\./, '');
  for (const full of [bare, `${packageName}.${bare}`]) {
    const index = names.indexOf(full);
    if (index !== -1) return index;
  }
  return names.findIndex((name) => name.endsWith(`.${bare}`));
}
