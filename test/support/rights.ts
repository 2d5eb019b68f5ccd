/** The table of rights in docs/architecture.md, so that tests hold it and the code together. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

interface Row {
  /** Names of other rows. */
  readonly needs: readonly string[];
  /** Subjects, with the placeholders of the table. */
  readonly subjects: readonly string[];
}

const page = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
const section = /^### Rights\n([\s\S]*?)^#{2,3} /m.exec(page)?.[1] ?? '';

const rows: ReadonlyMap<string, Row> = new Map(
  [...section.matchAll(/^\| ([^|]+?) *\| ([^|]*?) *\| ([^|]*?) *\|$/gm)]
    .filter(([, name = '']) => name !== 'to' && !name.startsWith('---'))
    .map(([, name = '', needs = '', subjects = '']) => [
      name,
      {
        needs: needs
          .split(',')
          .map((one) => one.trim())
          .filter(Boolean),
        subjects: [...subjects.matchAll(/`([^`]+)`/g)].map(([, subject = '']) => subject),
      },
    ]),
);

/** What the table has a row for. */
export const documented: readonly string[] = [...rows.keys()];

/** Whose rights. */
export interface RightsOf {
  readonly station: string;
  readonly group: string;
  readonly partitions?: number;
}

function rowOf(what: string): Row {
  const row = rows.get(what);
  assert.ok(row !== undefined, `docs/architecture.md says nothing of the rights to ${what}`);
  return row;
}

function fill(subjects: readonly string[], { station, group, partitions = 1 }: RightsOf): string[] {
  const internal = station.replaceAll('.', '#');
  return Array.from({ length: partitions }, (_, index) => index + 1).flatMap((partition) =>
    subjects.map((subject) =>
      subject
        .replaceAll('<stream>', '<internal>$<p>')
        .replaceAll('<internal>', internal)
        .replaceAll('<name>', station)
        .replaceAll('<group>', group.replaceAll('.', '#'))
        .replaceAll('<p>', String(partition)),
    ),
  );
}

/** Subjects of one row alone. */
export function ownRights(what: string, of: RightsOf): readonly string[] {
  return [...new Set(fill(rowOf(what).subjects, of))];
}

/** All subjects that something needs, those of the rows that it names included. */
export function rightsTo(what: string, of: RightsOf): readonly string[] {
  const { needs } = rowOf(what);
  return [...new Set([...ownRights(what, of), ...needs.flatMap((name) => rightsTo(name, of))])];
}

const list = (subjects: readonly string[]): string => `[${subjects.map((one) => JSON.stringify(one)).join(', ')}]`;

/** A line of a server's configuration: a user who may publish on these subjects only, and listen for answers. */
export function userWith(name: string, allowed: readonly string[]): string {
  const permissions = `publish: { allow: ${list(allowed)} }, subscribe: { allow: ["_INBOX.>"] }`;
  return `{ user: ${JSON.stringify(name)}, password: x, permissions: { ${permissions} } }`;
}

/** A user who may do everything but publish on one subject. */
export function userWithout(name: string, denied: string): string {
  return `{ user: ${JSON.stringify(name)}, password: x, permissions: { publish: { deny: ${list([denied])} } } }`;
}
