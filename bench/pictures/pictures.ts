/** Which pictures are made of which report. Pure. */

import { type Cell, numberOf, type Report, type Table } from '../support/report.ts';
import { nameOf } from '../support/table.ts';
import { type Bar, drawChart, type Series } from './chart.ts';

type Row = Table['rows'][number];

/** File names (without folder) and texts. */
export type Pictures = Readonly<Record<string, string>>;

export function drawPictures(report: Report): Pictures {
  const draw = drawers[report.bench];
  return draw === undefined ? {} : draw(report);
}

const drawers: Readonly<Record<string, (report: Report) => Pictures>> = {
  'cold-start': (report) => ({ 'cold-start.svg': drawColdStart(report), 'import.svg': drawImport(report) }),
  'memphis-cold-start': (report) => ({ 'memphis-cold-start.svg': drawColdStart(report) }),
  'memphis-round-trips': (report) => ({ 'memphis-round-trips.svg': drawRoundTrips(report) }),
  'memphis-thaw': (report) => ({
    'memphis-thaw-fetch.svg': drawThaw(report, 'fetch', 'until 10 messages are settled'),
    'memphis-thaw-store.svg': drawThaw(report, 'publish', 'until a message is stored'),
  }),
  'round-trips': (report) => ({ 'round-trips.svg': drawRoundTrips(report) }),
  warm: (report) => ({ 'warm.svg': drawWarm(report) }),
  thaw: (report) => ({
    'thaw-fetch.svg': drawThaw(report, 'fetch', 'until 10 messages are settled'),
    'thaw-store.svg': drawThaw(report, 'publish', 'until a message is stored'),
  }),
};

const rowsOf = ({ tables }: Report, name: string): readonly Row[] =>
  tables.find((table) => table.name === name)?.rows ?? [];
const value = (row: Row, key: string): number => numberOf(row.cells[key]) ?? 0;
const under = ({ node, server }: Report): string => `Node ${node}, ${nameOf(server)}`;

function seriesOf(subject: string): Series {
  if (/bare socket/.test(subject)) return 'floor';
  if (/memphis-serverless/.test(subject)) return 'ours';
  return /memphis-dev/.test(subject) ? 'other' : 'peer';
}

const times = (number: number): string => `${number.toFixed(1)} x`;

function drawColdStart(report: Report): string {
  const jobs = (name: string): Bar[] => {
    const rows = rowsOf(report, name).filter(({ cells }) => cells.job !== undefined);
    const floor = rows[0] === undefined ? 1 : value(rows[0], 'job');
    return rows.map((row) => {
      const [all, imported, first] = [value(row, 'job'), value(row, 'import'), value(row, 'first')];
      return {
        label: row.subject,
        series: seriesOf(row.subject),
        parts: [imported, first, all - imported - first].map((part) => Math.max(0, part) / floor),
        text: times(all / floor),
      };
    });
  };
  return drawChart({
    title: 'Cold start, as a multiple of a bare socket',
    subtitle: `The import, and paler what follows: to the first batch, to the end; ${under(report)}`,
    scale: 'linear',
    groups: [
      { title: 'A consumer function: 10 messages pulled, acked, confirmed', bars: jobs('consumer') },
      { title: 'A producing function: one message stored and confirmed', bars: jobs('producer') },
    ],
  });
}

function drawImport(report: Report): string {
  const bars = rowsOf(report, 'import').map(
    (row): Bar => ({
      label: row.subject,
      series: seriesOf(row.subject),
      parts: [value(row, 'ratio')],
      text: times(value(row, 'ratio')),
    }),
  );
  return drawChart({
    title: 'The import alone, as a multiple of a bare socket',
    subtitle: under(report),
    scale: 'linear',
    groups: [{ title: '', bars }],
  });
}

function drawRoundTrips(report: Report): string {
  const bars = (name: string, key: string): Bar[] =>
    rowsOf(report, name).map((row) => {
      const trips = Math.round(value(row, key));
      return { label: row.subject, series: seriesOf(row.subject), parts: [trips], text: String(trips) };
    });
  return drawChart({
    title: 'Round trips of a cold start, connecting included',
    subtitle: under(report),
    scale: 'linear',
    groups: [
      { title: 'Until the first batch is there', bars: bars('consumer', 'first') },
      { title: 'Until a message is stored', bars: bars('producer', 'job') },
    ],
  });
}

/** Rows whose subject is `group: who`, in groups. */
function grouped(rows: readonly Row[], toBar: (who: string, row: Row) => Bar) {
  const groups = new Map<string, Bar[]>();
  for (const row of rows) {
    const [title = '', who = ''] = row.subject.split(': ');
    groups.set(title, [...(groups.get(title) ?? []), toBar(who, row)]);
  }
  return [...groups].map(([title, bars]) => ({ title, bars }));
}

function drawWarm(report: Report): string {
  const toBar = (who: string, row: Row): Bar => ({
    label: who,
    series: seriesOf(who),
    parts: [value(row, 'cpuRatio')],
    text: `${value(row, 'cpuRatio').toFixed(2)} x`,
  });
  const titled = (name: string, before: string) =>
    grouped(rowsOf(report, name), toBar).map(({ title, bars }) => ({ title: `${before} ${title}`, bars }));
  return drawChart({
    title: 'Processor time of warm invocations, as a multiple of a bare socket',
    subtitle: under(report),
    scale: 'linear',
    groups: [...titled('consumer', 'Fetch and ack'), ...titled('producer', 'Store')],
  });
}

function drawThaw(report: Report, key: 'fetch' | 'publish', what: string): string {
  const limited = (cell: Cell): { readonly ms: number; readonly text: string } => {
    if (typeof cell === 'string') return { ms: Number(/\d+/.exec(cell)?.[0] ?? 0), text: `${cell} ms` };
    const ms = numberOf(cell) ?? 0;
    return { ms, text: `${ms.toFixed(ms < 100 ? 1 : 0)} ms` };
  };
  return drawChart({
    title: `After a freeze of 3 s: ${what}`,
    subtitle: `By what became of the connection; logarithmic, 2 ms round trip; ${under(report)}`,
    scale: 'log',
    groups: grouped(rowsOf(report, 'thaw'), (who, row) => {
      const { ms, text } = limited(row.cells[key]);
      return { label: who, series: seriesOf(who), parts: [ms], text };
    }),
  });
}
