/** What is kept of the text of GraphQL operations, once its parts are checked: what only the whole document can tell is told by it. */

import type { Problem } from './graphql-problem.ts';
import type { GraphqlTable } from './graphql-table.ts';

/** A field, with its name in the result; a fragment by name, without selections; or one that stands there, without names. */
export interface Selection {
  /** Of a field: the name that its result has; '' of fragments. */
  readonly alias: string;
  /** Of a field, or of a fragment that stands elsewhere. */
  readonly name: string;
  /** Of a field: the same for arguments that say the same, in any order. */
  readonly args: string;
  /** Of a field: its type; absent where all types have it. */
  readonly type: string | undefined;
  /** The type around it; of a fragment that stands there the one that it is for. */
  readonly parent: string;
  /** Whether it may be left out: `@skip`, `@include`. */
  readonly isConditional: boolean;
  readonly selections: readonly Selection[] | undefined;
  readonly at: number;
}

export interface Variable {
  readonly name: string;
  /** `[Int!]!` */
  readonly type: string;
  /** One other than null. */
  readonly hasDefault: boolean;
  readonly at: number;
}

/** A variable where a value of a type is wanted. */
export interface Use {
  readonly name: string;
  /** Absent where nothing is known of it: inside of scalars of one's own. */
  readonly type: string | undefined;
  readonly hasDefault: boolean;
  /** It is the one field of an input that wants exactly one. */
  readonly isOneOf: boolean;
  readonly at: number;
}

/** An operation, or a fragment. */
export interface Definition {
  readonly kind: string;
  /** '' for none. */
  readonly name: string;
  /** The type of what it selects. */
  readonly on: string;
  readonly variables: readonly Variable[];
  readonly uses: readonly Use[];
  /** Fragments that stand elsewhere. */
  readonly spreads: readonly Selection[];
  readonly selections: readonly Selection[];
  readonly at: number;
}

/** A text on its way through the rules. */
export interface Reading {
  readonly table: GraphqlTable;
  readonly texts: readonly string[];
  readonly places: readonly number[];
  /** The token that comes next, '' at the end; where it begins, and its number. */
  next: string;
  at: number;
  index: number;
  /** The first one. Reading goes on, since a text that is no document is refused as such. */
  problem: Problem | undefined;
  /** No variable may stand here. */
  isConstant: boolean;
  /** Of the definition at hand. */
  uses: Use[];
  spreads: Selection[];
  /** Some name may be in a result twice. */
  mayConflict: boolean;
  isIntrospecting: boolean;
}

/** What a fragment selects wherever it stands, or a field. */
export function innerOf(fragments: ReadonlyMap<string, Definition>, one: Selection): readonly Selection[] {
  return one.selections ?? (one.alias === '' ? fragments.get(one.name)?.selections : undefined) ?? [];
}
