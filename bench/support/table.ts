/** Tables for the terminal. */

import type { Cell, Column, Report, Table } from './report.ts';

export function writeCell(cell: Cell, { digits = 1, showsSpread = false }: Column): string {
  if (cell === undefined) return '-';
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number') return cell.toFixed(digits);
  const median = cell.median.toFixed(digits);
  return showsSpread ? `${median} (${cell.low.toFixed(digits)}..${cell.high.toFixed(digits)})` : median;
}

export function toText({ caption, columns, rows }: Table): string {
  const lines = [
    ['', ...columns.map(({ title }) => title)],
    ...rows.map(({ subject, cells }) => [subject, ...columns.map((column) => writeCell(cells[column.key], column))]),
  ];
  const widths = (lines[0] ?? []).map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  const texts = lines.map((line) =>
    line
      .map((text, index) => (index === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[index] ?? 0)))
      .join('  '),
  );
  const rule = '-'.repeat(texts[0]?.length ?? 0);
  return [caption, '', texts[0], rule, ...texts.slice(1)].join('\n');
}

/** A nats-server has a bare version. */
export const nameOf = (server: string): string => (/^\d/.test(server) ? `nats-server ${server}` : server);

/** A whole report, its head first. */
export function reportToText({ bench, rounds, machine, node, server, tables, notes }: Report): string {
  const head = `== ${bench}: ${rounds} rounds, Node ${node}, ${nameOf(server)}, ${machine}`;
  return [head, ...tables.map((table) => `\n${toText(table)}`), ...notes.map((note) => `\n${note}`)].join('\n');
}
