/** Tables of reports inside pages of the documentation, in the place of a marker: `<!-- bench: warm/consumer ms,cpu -->`. Pure. */

import type { Report, Table } from './report.ts';
import { writeCell } from './table.ts';

const MARKED = /(<!-- bench: ([\w-]+)\/([\w-]+) ([\w,]+) -->\n)(?:\|.*\n)*/g;

/** Fills in the tables of these reports; others stay as they are. @throws Error for a table or column that is not there */
export function fillPage(page: string, reports: readonly Report[]): string {
  return page.replace(MARKED, (whole, marker: string, bench: string, name: string, keys: string) => {
    const report = reports.find((candidate) => candidate.bench === bench);
    if (report === undefined) return whole;
    const table = report.tables.find((candidate) => candidate.name === name);
    if (table === undefined) throw new Error(`The report of ${bench} has no table ${name}.`);
    return `${marker}${toMarkdown(table, keys.split(','))}`;
  });
}

function toMarkdown({ columns, rows }: Table, keys: readonly string[]): string {
  const chosen = keys.map((key) => {
    const found = columns.find((column) => column.key === key);
    if (found === undefined) throw new Error(`There is no column ${key}.`);
    return { ...found, showsSpread: false };
  });
  const shown = rows.filter(({ cells }) => keys.some((key) => cells[key] !== undefined));
  const lines = [
    ['', ...chosen.map(({ title }) => title)],
    ...shown.map(({ subject, cells }) => [subject, ...chosen.map((column) => writeCell(cells[column.key], column))]),
  ];
  const widths = (lines[0] ?? []).map((_, index) => Math.max(3, ...lines.map((line) => line[index]?.length ?? 0)));
  const write = (line: readonly string[]): string =>
    `| ${line.map((text, index) => (index === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[index] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, index) => (index === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [head = [], ...body] = lines;
  return `${[write(head), rule, ...body.map(write)].join('\n')}\n`;
}
