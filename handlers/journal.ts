/** Writes down what the stand-ins did, one JSON line each, so that the demo can compare it with what the broker says. */
import { appendFileSync } from 'node:fs';

/** One attempt at one piece of work; `how` is `done` or what went wrong. */
export interface JournalEntry {
  readonly work: 'charge' | 'mail';
  readonly id: string;
  readonly attempt: number;
  readonly how: string;
}

/** Appends an entry to the file that `JOURNAL_FILE` names; without the variable nothing is written. */
export function record(entry: JournalEntry): void {
  const file = process.env.JOURNAL_FILE;
  if (file === undefined || file === '') return;
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
}
