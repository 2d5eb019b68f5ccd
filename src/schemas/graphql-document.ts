/** What the text of GraphQL operations says. */

export interface Value {
  readonly kind: 'variable' | 'int' | 'float' | 'string' | 'boolean' | 'null' | 'enum' | 'list' | 'object';
  /** As it stands; of variables the name. */
  readonly text: string;
  /** The same for values that mean the same. */
  readonly key: string;
  readonly items: readonly Value[];
  readonly fields: readonly Named[];
  readonly at: number;
}

/** An argument, or a field of an object. */
export interface Named {
  readonly name: string;
  readonly value: Value;
  readonly at: number;
}

export interface Directive {
  readonly name: string;
  readonly args: readonly Named[];
  readonly at: number;
}

export interface Selection {
  readonly kind: 'field' | 'spread' | 'inline';
  /** Of a field or a fragment. */
  readonly name: string;
  /** Of a field: the name that its result has. */
  readonly alias: string;
  readonly args: readonly Named[];
  readonly directives: readonly Directive[];
  /** Of an inline fragment; '' for none. */
  readonly on: string;
  readonly selections: readonly Selection[] | undefined;
  readonly at: number;
}

export interface Variable {
  readonly name: string;
  /** `[Int!]!` */
  readonly type: string;
  readonly fallback: Value | undefined;
  readonly directives: readonly Directive[];
  readonly at: number;
}

/** An operation, or a fragment. */
export interface Definition {
  readonly kind: 'query' | 'mutation' | 'subscription' | 'fragment';
  /** '' for none. */
  readonly name: string;
  /** Of a fragment. */
  readonly on: string;
  readonly variables: readonly Variable[];
  readonly directives: readonly Directive[];
  readonly selections: readonly Selection[];
  readonly at: number;
}

/** The same for arguments that say the same, in any order. */
export const keyOf = (fields: readonly Named[]): string =>
  fields
    .map(({ name, value }) => `${name}:${value.key}`)
    .sort()
    .join();
