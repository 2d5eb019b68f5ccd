/** What runs in first invocations, file by file: where to look when a cold start shall be shorter. */

import type { BenchSettings } from '../support/bench.ts';
import { describeMachine, type Report, type Table } from '../support/report.ts';
import { openScene } from '../support/scene.ts';
import { measureFirstRun, type Ran } from './measure.ts';

/** Files beyond these are told together. */
const NAMED = 40;

export async function benchFirstRun({ progress }: BenchSettings): Promise<Report> {
  await using scene = await openScene({ log: progress.say });
  const tables: Table[] = [];
  for (const role of ['consumer', 'producer'] as const) {
    const { ran } = await measureFirstRun(scene, role);
    const what = `Functions of the bundle that run in the first invocation of a ${role} function, and their size minified`;
    tables.push(toTable(role, `${what}, by folder.`, byFolder(ran)));
    tables.push(toTable(`${role}-files`, `${what}, by file.`, ran));
  }
  return {
    bench: 'first-run',
    at: new Date().toISOString(),
    rounds: 1,
    machine: describeMachine(),
    node: process.versions.node,
    server: scene.broker.version,
    tables,
    notes: [],
  };
}

/** Of drivers the second level counts, since each is a world of its own. */
const folderOf = (file: string): string => /^(bench|src\/(brokers\/)?[^/.]+)(?=\/)/.exec(file)?.[0] ?? file;

function byFolder(ran: readonly Ran[]): readonly Ran[] {
  const folders = Map.groupBy(ran, ({ file }) => folderOf(file));
  return [...folders].map(([file, some]) => ({ file, ...sum(some) })).sort((a, b) => b.bytes - a.bytes);
}

const sum = (some: readonly Ran[]): Omit<Ran, 'file'> => ({
  functions: some.reduce((all, { functions }) => all + functions, 0),
  bytes: some.reduce((all, { bytes }) => all + bytes, 0),
});

function toTable(name: string, caption: string, ran: readonly Ran[]): Table {
  const row = (subject: string, { functions, bytes }: Omit<Ran, 'file'>) => ({ subject, cells: { functions, bytes } });
  const rest = ran.slice(NAMED);
  return {
    name,
    caption,
    columns: [
      { key: 'functions', title: 'functions', digits: 0 },
      { key: 'bytes', title: 'bytes', digits: 0 },
    ],
    rows: [
      row('together', sum(ran)),
      ...ran.slice(0, NAMED).map((one) => row(one.file, one)),
      ...(rest.length === 0 ? [] : [row(`${rest.length} others`, sum(rest))]),
    ],
  };
}
