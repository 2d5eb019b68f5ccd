/** The accounts of a run: every id that was sent must be acked, dead-lettered or refused, and exactly one of these. Pure. */

import type { JournalEntry } from '../handlers/journal.ts';

/** What is known of one station at the end. */
export interface StationFacts {
  readonly station: string;
  readonly attempted: ReadonlySet<string>;
  /** Answered as stored. */
  readonly stored: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
  readonly failed: ReadonlyMap<string, string>;
  /** What the broker holds, repeats included. */
  readonly storedIds: readonly string[];
  readonly deadLetterIds: readonly string[];
  /** The broker has nothing left to deliver to the group, and nothing unsettled. */
  readonly isThrough: boolean;
  /** What the stand-ins of this station's function wrote down. */
  readonly journal: readonly (Pick<JournalEntry, 'id' | 'attempt' | 'how'> & Partial<JournalEntry>)[];
}

/** One line of the table. */
export interface Account {
  readonly station: string;
  readonly sent: number;
  readonly acked: number;
  readonly deadLettered: number;
  readonly refused: number;
  /** Messages that were tried more than once. */
  readonly retried: number;
  /** Work done a second time, as delivering at least once allows. */
  readonly workedTwice: number;
  readonly addsUp: boolean;
}

export interface Problem {
  readonly station: string;
  readonly what: string;
  readonly ids: readonly string[];
}

const MAX_IDS_SHOWN = 20;

/** In a line. */
export function toLine({ station, what, ids }: Problem): string {
  const rest = ids.length > MAX_IDS_SHOWN ? ` and ${ids.length - MAX_IDS_SHOWN} more` : '';
  return `${station}, ${what}: ${ids.slice(0, MAX_IDS_SHOWN).join(' ')}${rest}`;
}

function repeatsOf(ids: readonly string[]): string[] {
  const seen = new Set<string>();
  return [...new Set(ids.filter((id) => seen.size === seen.add(id).size))];
}

/** Accounts for one station. Without problems, `sent = acked + deadLettered + refused`, id by id. */
export function account(facts: StationFacts): { readonly account: Account; readonly problems: readonly Problem[] } {
  const { station, attempted, refused, isThrough } = facts;
  const held = new Set(facts.storedIds);
  const dead = new Set(facts.deadLetterIds);
  const doneIds = facts.journal.filter(({ how }) => how === 'done').map(({ id }) => id);
  const done = new Set(doneIds);
  const unsettled = (id: string): boolean => !dead.has(id) && !done.has(id);

  const acked = isThrough ? [...held].filter((id) => done.has(id) && !dead.has(id)) : [];
  const accounted = new Set([...acked, ...dead, ...refused]);
  const found: [what: string, ids: readonly string[]][] = [
    ['not stored, and no answer that says why', [...facts.failed.keys()]],
    ['answered as stored, and not in the station', [...facts.stored].filter((id) => !held.has(id))],
    ['refused, and yet in the station', [...refused].filter((id) => held.has(id))],
    ['in the station, and never sent', [...held].filter((id) => !attempted.has(id))],
    ['stored twice', repeatsOf(facts.storedIds)],
    ['dead-lettered twice', repeatsOf(facts.deadLetterIds)],
    ['dead-lettered, and not in the station', [...dead].filter((id) => !held.has(id))],
    ['settled, and neither worked off nor dead-lettered', isThrough ? [...held].filter(unsettled) : []],
    ['not settled in time', isThrough ? [] : [...held].filter(unsettled)],
    ['not accounted for', [...attempted].filter((id) => !accounted.has(id))],
  ];
  const sums = acked.length + dead.size + refused.size;
  return {
    account: {
      station,
      sent: attempted.size,
      acked: acked.length,
      deadLettered: dead.size,
      refused: refused.size,
      retried: new Set(facts.journal.filter(({ attempt }) => attempt > 1).map(({ id }) => id)).size,
      workedTwice: doneIds.length - done.size,
      addsUp: attempted.size === sums && found.every(([, ids]) => ids.length === 0),
    },
    problems: found.filter(([, ids]) => ids.length > 0).map(([what, ids]) => ({ station, what, ids })),
  };
}

const columns = ['station', 'sent', 'acked', 'deadLettered', 'refused', 'retried', 'workedTwice'] as const;
const titles = ['station', 'sent', 'acked', 'dead-lettered', 'refused', 'retried', 'worked twice', 'adds up'];

/** The accounts as a table, with their sums. */
export function toTable(accounts: readonly Account[]): string {
  const sum = (key: Exclude<(typeof columns)[number], 'station'>): number =>
    accounts.reduce((total, account) => total + account[key], 0);
  const total = columns.map((key) => (key === 'station' ? 'together' : String(sum(key))));
  const rows = [
    titles,
    ...accounts.map((account) => [...columns.map((key) => String(account[key])), account.addsUp ? 'yes' : 'NO']),
    [...total, accounts.every(({ addsUp }) => addsUp) ? 'yes' : 'NO'],
  ];
  const widths = titles.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
  const rule = '-'.repeat(lines[0]?.length ?? 0);
  return [lines[0], rule, ...lines.slice(1, -1), rule, lines.at(-1)].join('\n');
}
