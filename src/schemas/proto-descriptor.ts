/** A FileDescriptorSet, as protoc writes it and a Memphis broker sends it, -> a table. Descriptors are protobuf themselves. */

import { decodeProto } from './proto-decode.ts';
import { findMessage, type ProtoEnum, type ProtoField, type ProtoMessage, type ProtoTable } from './proto-table.ts';

/** What is read of google/protobuf/descriptor.proto: `number name type`, `[]` for lists; messages by name. */
const layout = {
  Set: '1 file File[]',
  File: '2 package text, 4 messages Message[], 5 enums Enum[], 8 options FileOptions, 12 syntax text, 14 edition int',
  Message:
    '1 name text, 2 fields Field[], 3 messages Message[], 4 enums Enum[], 7 options MessageOptions, 8 oneofs Oneof[]',
  Field:
    '1 name text, 3 number int, 4 label int, 5 type int, 6 typeName text, 8 options FieldOptions, 9 oneof int, 10 jsonName text, 17 isOptional bool',
  Oneof: '1 name text',
  Enum: '1 name text, 2 values Value[], 3 options EnumOptions',
  Value: '1 name text, 2 number int',
  FileOptions: '50 features Features',
  MessageOptions: '7 isMap bool, 12 features Features',
  FieldOptions: '2 isPacked bool, 21 features Features',
  EnumOptions: '7 features Features',
  Features: '1 presence int, 2 enums int, 3 lists int, 5 messages int',
} as const;

const types: Readonly<Record<string, number>> = { text: 9, int: 5, bool: 8 };

function bootstrap(): ProtoTable {
  const names = Object.keys(layout);
  const messages = Object.entries(layout).map(
    ([name, fields]): ProtoMessage => ({
      name,
      fields: fields.split(', ').map((field): ProtoField => {
        const [number = '', key = '', kind = ''] = field.split(' ');
        const of = kind.replace('[]', '');
        const type = types[of] ?? 11;
        return {
          name: key,
          number: Number(number),
          type,
          hasPresence: true,
          ...(type === 11 && { of: names.indexOf(of) }),
          ...(kind.endsWith('[]') && { isMany: true }),
        };
      }),
    }),
  );
  return { root: 0, messages, enums: [] };
}

interface Features {
  readonly presence?: number;
  readonly enums?: number;
  readonly lists?: number;
  readonly messages?: number;
}
interface EnumDescriptor {
  readonly name?: string;
  readonly values: readonly { readonly name?: string; readonly number?: number }[];
  readonly options?: { readonly features?: Features };
}
interface FieldDescriptor {
  readonly name?: string;
  readonly number?: number;
  readonly label?: number;
  readonly type?: number;
  readonly typeName?: string;
  readonly options?: { readonly isPacked?: boolean; readonly features?: Features };
  readonly oneof?: number;
  readonly jsonName?: string;
  readonly isOptional?: boolean;
}
interface MessageDescriptor {
  readonly name?: string;
  readonly fields: readonly FieldDescriptor[];
  readonly messages: readonly MessageDescriptor[];
  readonly enums: readonly EnumDescriptor[];
  readonly options?: { readonly isMap?: boolean; readonly features?: Features };
  readonly oneofs: readonly { readonly name?: string }[];
}
interface FileDescriptor {
  readonly package?: string;
  readonly messages: readonly MessageDescriptor[];
  readonly enums: readonly EnumDescriptor[];
  readonly options?: { readonly features?: Features };
  readonly syntax?: string;
}

/** What the syntaxes before editions mean. */
const proto2: Features = { presence: 1, enums: 2, lists: 2, messages: 1 };
const proto3: Features = { presence: 2, enums: 1, lists: 1, messages: 1 };
const edition: Features = { presence: 1, enums: 1, lists: 1, messages: 1 };

/** One thing found in a file: its full name, and what counts for it. */
interface Found<T> {
  readonly name: string;
  readonly descriptor: T;
  readonly features: Features;
}

/**
 * @param messageName which message; nothing: the first of the last file
 * @throws NotProto; Error when there is no such message, or a type is missing
 */
export function tableOfDescriptor(bytes: Uint8Array, messageName: string | undefined): ProtoTable {
  const { file: files } = decodeProto(bootstrap(), bytes) as unknown as { readonly file: readonly FileDescriptor[] };
  const messages: Found<MessageDescriptor>[] = [];
  const enums: Found<EnumDescriptor>[] = [];
  const last = files.at(-1);
  let own: readonly string[] = [];
  for (const file of files) {
    const before = messages.length;
    const base = file.syntax === 'editions' ? edition : file.syntax === 'proto3' ? proto3 : proto2;
    const features = { ...base, ...file.options?.features };
    collect(file, file.package ?? '', features, messages, enums);
    own = messages.slice(before).map(({ name }) => name);
  }
  const root = findMessage(own, last?.package ?? '', messageName);
  if (root === -1) throw new Error('it has no message of that name, or none at all');
  const names = messages.map(({ name }) => name);
  const enumNames = enums.map(({ name }) => name);
  return {
    root: names.indexOf(own[root] ?? ''),
    messages: messages.map(({ name, descriptor, features }) => ({
      name,
      fields: descriptor.fields
        .map((field) => toField(field, descriptor, features, names, enumNames, messages))
        .sort((a, b) => a.number - b.number),
    })),
    enums: enums.map(({ descriptor, features }): ProtoEnum => {
      const { enums: kind } = { ...features, ...descriptor.options?.features };
      const values = descriptor.values.map(({ name = '', number = 0 }) => [name, number] as const);
      return { values, ...(kind === 2 && { isClosed: true }) };
    }),
  };
}

/** Messages in the order of the file, nested ones behind all of their level: the first is the first of the file. */
function collect(
  scope: { readonly messages: readonly MessageDescriptor[]; readonly enums: readonly EnumDescriptor[] },
  prefix: string,
  features: Features,
  messages: Found<MessageDescriptor>[],
  enums: Found<EnumDescriptor>[],
): void {
  const full = (name: string | undefined): string => (prefix === '' ? (name ?? '') : `${prefix}.${name ?? ''}`);
  for (const descriptor of scope.enums) enums.push({ name: full(descriptor.name), descriptor, features });
  const own = scope.messages.map((descriptor) => {
    const inner = { ...features, ...descriptor.options?.features };
    return { name: full(descriptor.name), descriptor, features: inner };
  });
  messages.push(...own);
  for (const { name, descriptor, features: inner } of own) collect(descriptor, name, inner, messages, enums);
}

function toField(
  field: FieldDescriptor,
  message: MessageDescriptor,
  inherited: Features,
  names: readonly string[],
  enumNames: readonly string[],
  messages: readonly Found<MessageDescriptor>[],
): ProtoField {
  const { name = '', number = 0, label, typeName, jsonName } = field;
  const features = { ...inherited, ...field.options?.features };
  const full = (typeName ?? '').replace(/^\./, '');
  const of = (field.type === 14 ? enumNames : names).indexOf(full);
  const isRef = field.type === 14 || field.type === 11 || field.type === 10;
  if (isRef && of === -1) throw new Error(`the type ${full} of the field ${name} is missing`);
  const isMany = label === 3;
  const isMap = field.type === 11 && messages[of]?.descriptor.options?.isMap === true;
  const isInMap = isMap || message.options?.isMap === true; // there all have lengths
  const type = field.type === 11 && features.messages === 2 && !isInMap ? 10 : (field.type ?? 0);
  const isSynthetic = field.isOptional === true;
  const oneof = field.oneof === undefined || isSynthetic ? undefined : message.oneofs[field.oneof]?.name;
  const hasPresence =
    !isMany && (isSynthetic || oneof !== undefined || isRef !== (type === 14) || features.presence !== 2);
  const isPackable = isMany && ![9, 10, 11, 12].includes(type);
  const camel = jsonName ?? toJsonName(name);
  return {
    name: camel,
    ...(camel !== name && { original: name }),
    number,
    type,
    ...(isRef && { of }),
    ...(isMany && !isMap && { isMany: true }),
    ...(isMap && { isMap: true }),
    ...(isPackable && (field.options?.isPacked ?? features.lists === 1) && { isPacked: true }),
    ...(hasPresence && { hasPresence: true }),
    ...((label === 2 || features.presence === 3) && { isRequired: true }),
    ...(oneof !== undefined && { oneof }),
  };
}

/** As protoc makes it where a file does not say. */
export function toJsonName(name: string): string {
  return name.replace(/_+(.?)/g, (_, letter: string) => letter.toUpperCase());
}
