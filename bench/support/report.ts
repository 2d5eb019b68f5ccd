/** What a benchmark found, as data: the same goes to the terminal, into JSON and into pictures. */

import os from 'node:os';
import { type Spread, spreadOf } from './stats.ts';

/** A measured value, a plain number (a ratio, bytes), words, or nothing where there is nothing to tell. */
export type Cell = Spread | number | string | undefined;

export interface Column {
  readonly key: string;
  readonly title: string;
  /** Digits behind the point. */
  readonly digits?: number;
  /** Show quartiles as well. */
  readonly showsSpread?: boolean;
}

export interface Table {
  readonly name: string;
  /** What was done, in a sentence. */
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly { readonly subject: string; readonly cells: Readonly<Record<string, Cell>> }[];
}

export interface Report {
  readonly bench: string;
  readonly at: string;
  readonly rounds: number;
  /** Kind of machine; never which one. */
  readonly machine: string;
  readonly node: string;
  readonly server: string;
  readonly tables: readonly Table[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

export function describeMachine(): string {
  const [cpu] = os.cpus();
  const memory = Math.round(os.totalmem() / 1024 ** 3);
  return `${os.cpus().length} x ${cpu?.model.trim() ?? 'unknown processor'}, ${memory} GB, ${os.platform()} ${os.arch()}`;
}

/** The spread of one value of many samples. */
export function column<Sample>(samples: readonly Sample[], read: (sample: Sample) => number): Spread | undefined {
  return spreadOf(samples.map(read));
}

export const numberOf = (cell: Cell): number | undefined =>
  typeof cell === 'number' ? cell : typeof cell === 'object' ? cell.median : undefined;

/** How many times as much as another value, medians against medians. */
export function ratio(cell: Cell, base: Cell): number | undefined {
  const [a, b] = [numberOf(cell), numberOf(base)];
  return a === undefined || b === undefined || b === 0 ? undefined : a / b;
}
