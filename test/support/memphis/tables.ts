/** What a Memphis broker keeps in its database, as far as its clients can tell. */

export interface StationRow {
  readonly name: string;
  readonly partitions: number;
  readonly retentionType: string;
  readonly retentionValue: number;
  readonly storageType: string;
  readonly idempotencyWindowMs: number;
  poison: boolean;
  schemaverse: boolean;
  schema: string;
  readonly dlsStation: string;
}

export interface MemberRow {
  readonly kind: 'producer' | 'consumer';
  readonly name: string;
  readonly station: string;
  readonly group: string;
  readonly connectionId: string;
  readonly maxAckTimeMs: number;
  readonly maxDeliveries: number;
  isActive: boolean;
}

export interface DeadLetterRow {
  readonly id: number;
  readonly station: string;
  readonly partition: number;
  readonly sequence: number;
  groups: string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Buffer;
  readonly updatedAt: Date;
  readonly type: 'poison' | 'schema';
  readonly error: string;
}

export interface SchemaRow {
  readonly name: string;
  readonly type: string;
  readonly versions: { readonly content: string; readonly createdAt: Date }[];
  /** The version in use, from 1. */
  active: number;
}

export class Tables {
  readonly stations = new Map<string, StationRow>();
  readonly schemas = new Map<string, SchemaRow>();
  members: MemberRow[] = [];
  deadLetters: DeadLetterRow[] = [];
  readonly notifications: unknown[] = [];
  /** Whether somebody wants to be told of messages that break a schema. */
  wantsNotifications = false;
  /** Every request as it came, oldest first. */
  readonly requests: { readonly subject: string; readonly body: unknown }[] = [];
  #lastId = 0;

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  membersOf(station: string, group: string): MemberRow[] {
    return this.members.filter((row) => row.kind === 'consumer' && row.station === station && row.group === group);
  }

  /** A row anywhere is enough (memphis-wire 6.2). */
  isRegistered(group: string): boolean {
    return this.members.some((row) => row.kind === 'consumer' && row.group === group);
  }
}

export const internal = (name: string): string => name.replaceAll('.', '#');
export const external = (name: string): string => name.replaceAll('#', '.');

/** Rules of memphis-wire 3, with the broker's words. */
export function nameError(what: 'Station' | 'Producer' | 'Consumer', name: string): string | undefined {
  if (name === '') return `${what} name can not be empty`;
  if (name.length > 128) return `${what} should be under 128 characters`;
  if (!/^[a-z0-9_.-]*$/.test(name)) {
    return `Only alphanumeric and the '_', '-', '.' characters are allowed in ${what}`;
  }
  if (!/^[a-z0-9]/.test(name) || !/[a-z0-9]$/.test(name)) {
    return `${what} name can not start or end with non alphanumeric character`;
  }
  return undefined;
}
