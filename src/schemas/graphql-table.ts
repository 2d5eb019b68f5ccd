/** A schema of GraphQL as precompiled modules hold it: plain data that needs no building. */

/** Arguments, or fields of an input, by name: the type as it is written, with `=` behind it where there is a default. */
export type Inputs = Readonly<Record<string, string>>;

export interface TypeRow {
  readonly kind: 'scalar' | 'enum' | 'object' | 'interface' | 'union' | 'input';
  /** Of objects and interfaces: type and arguments. */
  readonly fields?: Readonly<Record<string, readonly [string, Inputs?]>>;
  /** Of inputs. */
  readonly inputs?: Inputs;
  /** Of inputs: exactly one field is to be given. */
  readonly isOneOf?: true;
  /** Of enums. */
  readonly values?: readonly string[];
  /** Of interfaces and unions: the objects among them. */
  readonly objects?: readonly string[];
  /** Of interfaces: the interfaces among them. */
  readonly interfaces?: readonly string[];
}

export interface DirectiveRow {
  readonly on: readonly string[];
  readonly args: Inputs;
  readonly isRepeatable?: true;
}

export interface GraphqlTable {
  readonly roots: Readonly<Partial<Record<'query' | 'mutation' | 'subscription', string>>>;
  readonly types: Readonly<Record<string, TypeRow>>;
  readonly directives: Readonly<Record<string, DirectiveRow>>;
}

export function isNonNull(type: string): boolean {
  return type.endsWith('!');
}
export function isList(type: string): boolean {
  return type.startsWith('[');
}
export function nullable(type: string): string {
  return isNonNull(type) ? type.slice(0, -1) : type;
}
/** Of a list that may be null. */
export function itemOf(type: string): string {
  return type.slice(1, -1);
}
/** `[Order!]!` -> `Order` */
export function nameOf(type: string): string {
  let end = type.length;
  while (']!'.includes(type[end - 1] as string)) end--;
  return type.slice(type.lastIndexOf('[') + 1, end);
}

/** What a record itself has, whatever the name. */
export function get<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

export function isLeaf(row: TypeRow | undefined): boolean {
  return row?.kind === 'scalar' || row?.kind === 'enum';
}

/** The objects that a type stands for. */
function objectsOf({ types }: GraphqlTable, name: string): readonly string[] {
  return types[name]?.objects ?? [name];
}

/** Whether an object or interface is one of those that an abstract type stands for. */
export function isAmong({ types }: GraphqlTable, abstract: string, name: string): boolean {
  return types[abstract]?.objects?.includes(name) === true || types[abstract]?.interfaces?.includes(name) === true;
}

/** Whether some object is of both types. */
export function overlap(table: GraphqlTable, a: string, b: string): boolean {
  return a === b || objectsOf(table, a).some((name) => objectsOf(table, b).includes(name));
}

/** Whether a value of one type is one of the other. */
export function isSubType(table: GraphqlTable, type: string, of: string): boolean {
  if (type === of) return true;
  if (isNonNull(of)) return isNonNull(type) && isSubType(table, nullable(type), nullable(of));
  if (isNonNull(type)) return isSubType(table, nullable(type), of);
  if (isList(of)) return isList(type) && isSubType(table, itemOf(type), itemOf(of));
  return !isList(type) && isAmong(table, of, type);
}

/** What the scalars of the language take. */
export const literals = ' Int:int Float:int Float:float String:string Boolean:boolean ID:int ID:string ';
