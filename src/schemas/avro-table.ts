/** Schemas of Avro as a tree: names resolved, everything checked. Plain data but for loops, where a type is part of itself. */

/** One type. Named ones are objects that may occur many times. */
export type AvroType =
  | { readonly kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string' }
  | { readonly kind: 'record'; readonly name: string; readonly fields: readonly AvroField[] }
  | { readonly kind: 'enum'; readonly name: string; readonly symbols: readonly string[] }
  | { readonly kind: 'fixed'; readonly name: string; readonly size: number }
  | { readonly kind: 'array' | 'map'; readonly of: AvroType }
  | { readonly kind: 'union'; readonly branches: readonly AvroType[] };

export interface AvroField {
  readonly name: string;
  readonly type: AvroType;
  /** As JSON; of a union by its first branch. */
  readonly fallback?: { readonly value: unknown };
}

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;
function isPrimitive(name: string): name is (typeof primitives)[number] {
  return primitives.some((one) => one === name);
}

/** As wrapped values of a union name it. */
export function branchName(type: AvroType): string {
  return 'name' in type ? type.name : type.kind;
}

type Node = Readonly<Record<string, unknown>>;
type Names = Map<string, AvroType>;

/** @throws Error what is no schema; names where, and quotes nothing longer than a name */
export function parseAvro(source: string): AvroType {
  let schema: unknown;
  try {
    schema = JSON.parse(source);
  } catch {
    // the name of a type may stand alone
    schema = source.trim();
  }
  return toType(schema, '', new Map(), 0);
}

function show(value: unknown): string {
  return JSON.stringify(String(value).slice(0, 100));
}

function toType(schema: unknown, namespace: string, names: Names, depth: number): AvroType {
  if (depth > 100) throw new Error('the schema is nested too deeply');
  if (typeof schema === 'string') return reference(schema, namespace, names);
  if (Array.isArray(schema)) return toUnion(schema, namespace, names, depth);
  if (typeof schema !== 'object' || schema === null) throw new Error('a type must be a name, a list or an object');
  const node = schema as Node;
  const { type } = node;
  if (type === 'record' || type === 'error') return toRecord(node, namespace, names, depth);
  if (type === 'enum') {
    const { symbols } = node;
    const isSound =
      Array.isArray(symbols) && symbols.every((one) => typeof one === 'string' && /^[A-Za-z_]\w*$/.test(one));
    if (!isSound || new Set(symbols).size !== symbols.length)
      throw new Error('an enum must have a list of different symbols');
    return define({ kind: 'enum', name: fullName(node, namespace), symbols: symbols as string[] }, names);
  }
  if (type === 'fixed') {
    const { size } = node;
    if (!Number.isSafeInteger(size) || (size as number) < 0) throw new Error('a fixed must have a size');
    return define({ kind: 'fixed', name: fullName(node, namespace), size: size as number }, names);
  }
  if (type === 'array') return { kind: 'array', of: toType(node.items, namespace, names, depth + 1) };
  if (type === 'map') return { kind: 'map', of: toType(node.values, namespace, names, depth + 1) };
  // { type: 'int', logicalType: .. }, or a type that is written out
  return toType(type, namespace, names, depth + 1);
}

function reference(name: string, namespace: string, names: Names): AvroType {
  if (isPrimitive(name)) return { kind: name };
  const known = names.get(name.includes('.') || namespace === '' ? name : `${namespace}.${name}`) ?? names.get(name);
  if (known === undefined) throw new Error(`unknown type ${show(name)}`);
  return known;
}

function fullName({ name, namespace }: Node, outer: string): string {
  if (typeof name !== 'string' || !/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(name))
    throw new Error(`${show(name)} is no name`);
  const space = typeof namespace === 'string' ? namespace : outer;
  return name.includes('.') || space === '' ? name : `${space}.${name}`;
}

function define<T extends AvroType & { readonly name: string }>(type: T, names: Names): T {
  if (names.has(type.name) || isPrimitive(type.name)) throw new Error(`the name ${show(type.name)} is taken`);
  names.set(type.name, type);
  return type;
}

function toRecord(node: Node, outer: string, names: Names, depth: number): AvroType {
  const name = fullName(node, outer);
  const fields: AvroField[] = [];
  const record = define({ kind: 'record', name, fields } as const, names); // before its fields, which may mean it
  if (!Array.isArray(node.fields)) throw new Error('a record must have a list of fields');
  const namespace = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : '';
  for (const field of node.fields as unknown[]) {
    const { name: own, type, ...rest } = (field ?? {}) as Node;
    if (typeof own !== 'string' || !/^[A-Za-z_]\w*$/.test(own)) throw new Error(`a field of ${show(name)} has no name`);
    if (fields.some((one) => one.name === own)) throw new Error(`${show(name)} has the field ${show(own)} twice`);
    const fallback = 'default' in rest ? { fallback: { value: rest.default } } : {};
    fields.push({ name: own, type: toType(type, namespace, names, depth + 1), ...fallback });
  }
  return record;
}

function toUnion(schemas: readonly unknown[], namespace: string, names: Names, depth: number): AvroType {
  const branches = schemas.map((one) => toType(one, namespace, names, depth + 1));
  if (branches.some(({ kind }) => kind === 'union')) throw new Error('a union must not hold a union');
  const seen = new Set(branches.map(branchName));
  if (seen.size !== branches.length) throw new Error('a union must not hold a type twice');
  return { kind: 'union', branches };
}
