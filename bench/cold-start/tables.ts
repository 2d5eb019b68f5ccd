/** What the samples of cold starts say. */

import { type Cell, column, ratio, type Table } from '../support/report.ts';
import type { ColdSample } from '../support/run-cold.ts';
import { spreadOf } from '../support/stats.ts';
import type { Measured } from './run.ts';

const KB = 1_000;

/** Ratios to memphis-dev where it ran too. */
const ofDev = (measured: readonly Measured[]): readonly ColdSample[] =>
  measured.find(({ title }) => title.startsWith('memphis-dev'))?.samples ?? [];

/** @param measured the bare Node first, then the floor */
export function jobTable(name: string, caption: string, measured: readonly Measured[]): Table {
  const [bare, floor] = measured;
  const dev = ofDev(measured);
  const over = (samples: readonly ColdSample[]): Cell =>
    spreadOf(samples.map(({ wallMs }, round) => wallMs - (bare?.samples[round]?.wallMs ?? Number.NaN)));
  return {
    name,
    caption,
    columns: [
      { key: 'kb', title: 'KB' },
      { key: 'gzipKb', title: 'gzip' },
      { key: 'wall', title: 'wall' },
      { key: 'over', title: 'over bare', showsSpread: true },
      { key: 'import', title: 'import' },
      { key: 'first', title: name === 'producer' ? 'to stored' : 'to first batch' },
      { key: 'job', title: 'job', showsSpread: true },
      { key: 'cpu', title: 'CPU' },
      { key: 'rss', title: 'RSS MB', digits: 0 },
      { key: 'importRatio', title: 'import x floor', digits: 2 },
      { key: 'jobRatio', title: 'job x floor', digits: 2 },
      { key: 'overRatio', title: 'over bare x floor', digits: 2 },
      ...(dev.length === 0
        ? []
        : [
            { key: 'importOfDev', title: 'import x memphis-dev', digits: 3 },
            { key: 'jobOfDev', title: 'job x memphis-dev', digits: 3 },
          ]),
    ],
    rows: measured.map(({ title, bundle, samples }) => {
      if (samples === bare?.samples)
        return { subject: title, cells: { wall: column(samples, ({ wallMs }) => wallMs) } };
      const cells = {
        kb: bundle && bundle.bytes / KB,
        gzipKb: bundle && bundle.gzipBytes / KB,
        wall: column(samples, ({ wallMs }) => wallMs),
        over: over(samples),
        import: column(samples, ({ importMs }) => importMs),
        first: column(samples, ({ firstMs, importMs }) => firstMs - importMs),
        job: column(samples, ({ jobMs }) => jobMs),
        cpu: column(samples, ({ cpuMs }) => cpuMs),
        rss: column(samples, ({ rssMb }) => rssMb),
      };
      const base = floor?.samples ?? [];
      return {
        subject: title,
        cells: {
          ...cells,
          importRatio: ratio(
            cells.import,
            column(base, ({ importMs }) => importMs),
          ),
          jobRatio: ratio(
            cells.job,
            column(base, ({ jobMs }) => jobMs),
          ),
          overRatio: ratio(cells.over, over(base)),
          importOfDev: ratio(
            cells.import,
            column(dev, ({ importMs }) => importMs),
          ),
          jobOfDev: ratio(
            cells.job,
            column(dev, ({ jobMs }) => jobMs),
          ),
        },
      };
    }),
  };
}

/** @param measured the floor first */
export function importTable(measured: readonly Measured[]): Table {
  const base = column(measured[0]?.samples ?? [], ({ importMs }) => importMs);
  const dev = column(ofDev(measured), ({ importMs }) => importMs);
  return {
    name: 'import',
    caption: 'The import alone, without a broker. Milliseconds, medians.',
    columns: [
      { key: 'kb', title: 'KB' },
      { key: 'gzipKb', title: 'gzip' },
      { key: 'import', title: 'import', showsSpread: true },
      { key: 'ratio', title: 'x floor', digits: 2 },
      { key: 'ofDev', title: 'x memphis-dev', digits: 3 },
      { key: 'rss', title: 'RSS MB', digits: 0 },
    ],
    rows: measured.map(({ title, bundle, samples }) => {
      const imported = column(samples, ({ importMs }) => importMs);
      return {
        subject: title,
        cells: {
          kb: bundle && bundle.bytes / KB,
          gzipKb: bundle && bundle.gzipBytes / KB,
          import: imported,
          ratio: ratio(imported, base),
          ofDev: ratio(imported, dev),
          rss: column(samples, ({ rssMb }) => rssMb),
        },
      };
    }),
  };
}
