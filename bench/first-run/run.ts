/** What runs in first invocations, file by file: where to look when a cold start shall be shorter. */

import type { BenchSettings } from '../support/bench.ts';
import { describeMachine, type Report, type Table } from '../support/report.ts';
import { openScene } from '../support/scene.ts';
import { measureFirstRun, type Ran, type Role } from './measure.ts';

/** Files beyond these are told together. */
const NAMED = 40;

export async function benchFirstRun({ progress }: BenchSettings): Promise<Report> {
  await using scene = await openScene({ log: progress.say });
  const tables: Table[] = [];
  for (const role of ['consumer', 'producer'] as const) tables.push(toTable(role, await measureFirstRun(scene, role)));
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

function toTable(role: Role, ran: readonly Ran[]): Table {
  const sum = (some: readonly Ran[]) => ({
    functions: some.reduce((all, { functions }) => all + functions, 0),
    bytes: some.reduce((all, { bytes }) => all + bytes, 0),
  });
  const row = (subject: string, cells: { readonly functions: number; readonly bytes: number }) => ({
    subject,
    cells: { functions: cells.functions, bytes: cells.bytes },
  });
  return {
    name: role,
    caption: `Functions of the bundle that run in the first invocation of a ${role} function, and their size minified.`,
    columns: [
      { key: 'functions', title: 'functions', digits: 0 },
      { key: 'bytes', title: 'bytes', digits: 0 },
    ],
    rows: [
      row('together', sum(ran)),
      ...ran.slice(0, NAMED).map((one) => row(one.file, one)),
      row(`${Math.max(0, ran.length - NAMED)} other files`, sum(ran.slice(NAMED))),
    ],
  };
}
