/** The text of a .proto file, imports included, -> a table. protobufjs parses; it is needed for nothing else. */

import type { Enum, Field, Namespace, ReflectionObject, Root, Type } from 'protobufjs';
import type { StationSchema } from '../model/schema.ts';
import { toJsonName } from './proto-descriptor.ts';
import { findMessage, type ProtoEnum, type ProtoField, type ProtoTable, protoType } from './proto-table.ts';

type Library = typeof import('protobufjs');

/** @throws Error what does not parse, or is missing */
export function tableOfSource(library: Library, { source, imports = {}, messageName }: StationSchema): ProtoTable {
  const root = new library.Root();
  const { packageName, own } = parseAll(library, root, source, imports);
  root.resolveAll();
  const types: Type[] = [];
  const enums: Enum[] = [];
  collect(library, root, types, enums);
  const names = types.map((type) => type.fullName.slice(1));
  const ownNames = inFileOrder(names, own);
  const found = findMessage(ownNames, packageName, messageName);
  if (found === -1) throw new Error(ownNames.length === 0 ? 'it has no message' : 'it has no message of that name');
  const context: Context = { library, types, enums, entries: [] };
  const messages = types.map((type) => ({
    name: type.fullName.slice(1),
    fields: type.fieldsArray.map((field) => toField(context, field.resolve())).sort((a, b) => a.number - b.number),
  }));
  return {
    root: names.indexOf(ownNames[found] ?? ''),
    messages: [...messages, ...context.entries],
    enums: enums.map((one): ProtoEnum => {
      const values = Object.entries(one.values);
      return { values, ...(isClosed(one) && { isClosed: true }) };
    }),
  };
}

interface Context {
  readonly library: Library;
  readonly types: readonly Type[];
  readonly enums: readonly Enum[];
  /** Messages of the entries of maps, which protobufjs has not as messages; they come behind the others. */
  readonly entries: { name: string; fields: ProtoField[] }[];
}

/** Parses a file and what it imports, each once. @returns what the file itself holds */
function parseAll(
  library: Library,
  root: Root,
  source: string,
  imports: Readonly<Record<string, string>>,
): { readonly packageName: string; readonly own: ReadonlySet<string> } {
  const done = new Set<string>();
  const parse = (text: string): { readonly packageName: string } => {
    const parsed = library.parse(text, root, { keepCase: true, alternateCommentMode: false });
    for (const path of [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])]) {
      if (done.has(path)) continue;
      done.add(path);
      const given = Object.hasOwn(imports, path) ? imports[path] : undefined;
      const common = library.common.get(path);
      if (given !== undefined) parse(given);
      else if (common?.nested !== undefined) root.addJSON(common.nested);
      else throw new Error(`the import ${JSON.stringify(path.slice(0, 100))} is not given`);
    }
    return { packageName: parsed.package ?? '' };
  };
  // alone first, to know what is its own
  const alone = new library.Root();
  const { package: name = '' } = library.parse(source, alone, { keepCase: true });
  const own = new Set<string>();
  const note = (space: Namespace): void => {
    for (const nested of space.nestedArray) {
      if (nested instanceof library.Type) own.add(nested.fullName.slice(1));
      if ('nestedArray' in nested) note(nested as Namespace);
    }
  };
  note(alone);
  parse(source);
  return { packageName: name ?? '', own };
}

/** Outer ones first, as they stand in the file. */
function inFileOrder(names: readonly string[], own: ReadonlySet<string>): readonly string[] {
  const depth = (name: string): number => name.split('.').length;
  return names.filter((name) => own.has(name)).sort((a, b) => depth(a) - depth(b));
}

function collect(library: Library, space: Namespace, types: Type[], enums: Enum[]): void {
  for (const nested of space.nestedArray as ReflectionObject[]) {
    if (nested instanceof library.Type) types.push(nested);
    if (nested instanceof library.Enum) enums.push(nested);
    if (nested instanceof library.Namespace) collect(library, nested, types, enums);
  }
}

/** protobufjs tells it to nobody, but knows. */
function isClosed(one: Enum): boolean {
  return (one as { readonly _features?: { readonly enum_type?: string } })._features?.enum_type === 'CLOSED';
}

function typeOf({ library }: Context, field: Pick<Field, 'resolvedType' | 'type'> & Partial<Field>): number {
  const { resolvedType } = field;
  if (resolvedType instanceof library.Enum) return protoType.enum;
  if (resolvedType !== null) return field.delimited ? protoType.group : protoType.message;
  return protoType[field.type as keyof typeof protoType];
}

function toField(context: Context, field: Field): ProtoField {
  const { library, types, enums } = context;
  const jsonName: unknown = field.options?.json_name;
  const name = typeof jsonName === 'string' ? jsonName : toJsonName(field.name);
  const names = { name, ...(name !== field.name && { original: field.name }), number: field.id };
  if (field instanceof library.MapField)
    return { ...names, type: protoType.message, of: addEntry(context, field), isMap: true };
  const type = typeOf(context, field);
  const { resolvedType } = field;
  const of = resolvedType instanceof library.Enum ? enums.indexOf(resolvedType) : types.indexOf(resolvedType as Type);
  const oneof = field.partOf === null || field.partOf.isProto3Optional ? undefined : field.partOf.name;
  const isMessage = type === protoType.message || type === protoType.group;
  const hasPresence = !field.repeated && (isMessage || field.partOf !== null || field.hasPresence);
  const isPackable = ![9, 10, 11, 12].includes(type);
  return {
    ...names,
    type,
    ...(resolvedType !== null && { of }),
    ...(field.repeated && { isMany: true }),
    ...(field.repeated && isPackable && field.packed && { isPacked: true }),
    ...(hasPresence && { hasPresence: true }),
    ...(field.required && { isRequired: true }),
    ...(oneof !== undefined && { oneof }),
  };
}

/** @returns its place behind all other messages */
function addEntry(context: Context, field: InstanceType<Library['MapField']>): number {
  const found = typeOf(context, field);
  const type = found === protoType.group ? protoType.message : found; // within a map all have lengths
  const { resolvedType } = field;
  const { library, types, enums, entries } = context;
  const of = resolvedType instanceof library.Enum ? enums.indexOf(resolvedType) : types.indexOf(resolvedType as Type);
  entries.push({
    name: `${field.fullName.slice(1)} entry`,
    fields: [
      { name: 'key', number: 1, type: protoType[field.keyType as keyof typeof protoType] },
      { name: 'value', number: 2, type, ...(resolvedType !== null && { of }) },
    ],
  });
  return types.length + entries.length - 1;
}
