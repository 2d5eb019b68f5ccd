/** What the samples of thaws say. */

import type { Cell, Table } from '../support/report.ts';
import { spreadOf } from '../support/stats.ts';
import type { Contender } from './contenders.ts';
import type { Fate } from './fates.ts';
import type { Operation, ThawSample } from './run.ts';

export function toTable(
  samples: readonly ThawSample[],
  fates: readonly Fate[],
  contenders: readonly Contender[],
): Table {
  return {
    name: 'thaw',
    caption:
      'The first invocation after a freeze of 3 s, by what became of the connection meanwhile (2 ms round trip). ' +
      'Milliseconds until 10 messages are settled, or one is stored; failed calls are repeated after 10 ms.',
    columns: [
      { key: 'fetch', title: 'fetch', showsSpread: true },
      { key: 'fetchErrors', title: 'errors', digits: 0 },
      { key: 'stuck', title: 'stuck', digits: 0 },
      { key: 'publish', title: 'publish', showsSpread: true },
      { key: 'publishErrors', title: 'errors', digits: 0 },
    ],
    rows: fates.flatMap((fate) =>
      contenders.map((contender) => {
        const of = (operation: Operation) =>
          samples.filter(
            (sample) => sample.fate === fate && sample.contender === contender && sample.operation === operation,
          );
        const sum = (some: readonly ThawSample[], key: 'errors' | 'stuck'): number =>
          some.reduce((total, sample) => total + sample[key], 0);
        const [fetched, published] = [of('fetch'), of('publish')];
        return {
          subject: `${fate.title}: ${contender.title}`,
          cells: {
            fetch: timeOf(fetched, fate.limitMs),
            fetchErrors: sum(fetched, 'errors'),
            stuck: sum(fetched, 'stuck'),
            publish: timeOf(published, fate.limitMs),
            publishErrors: sum(published, 'errors'),
          },
        };
      }),
    ),
  };
}

function timeOf(samples: readonly ThawSample[], limitMs: number): Cell {
  return samples.every(({ isDone }) => isDone) ? spreadOf(samples.map(({ ms }) => ms)) : `> ${limitMs}`;
}
