/** Tables and pictures of reports. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawChart } from '../../bench/pictures/chart.ts';
import { fillPage } from '../../bench/support/pages.ts';
import type { Report } from '../../bench/support/report.ts';
import { inRounds } from '../../bench/support/rounds.ts';
import { toText } from '../../bench/support/table.ts';

const report: Report = {
  bench: 'warm',
  at: '2026-01-01T00:00:00.000Z',
  rounds: 3,
  machine: 'a machine',
  node: '24.0.0',
  server: '2.9.10',
  notes: [],
  tables: [
    {
      name: 'consumer',
      caption: 'What was done.',
      columns: [
        { key: 'ms', title: 'ms', showsSpread: true },
        { key: 'times', title: 'x', digits: 2 },
      ],
      rows: [
        { subject: 'floor', cells: { ms: { median: 1, low: 0.5, high: 2 }, times: 1 } },
        { subject: 'other', cells: { ms: '> 10', times: undefined } },
      ],
    },
  ],
};

test('a table says medians, quartiles, words, and nothing where nothing was measured', () => {
  const [table] = report.tables;
  assert.ok(table !== undefined);
  assert.deepEqual(toText(table).split('\n').slice(2), [
    '                   ms     x',
    '---------------------------',
    'floor  1.0 (0.5..2.0)  1.00',
    'other            > 10     -',
  ]);
});

test('a page gets the columns that its marker names, and keeps everything else', () => {
  const marker = '<!-- bench: warm/consumer times -->\n';
  const filled = fillPage(`before\n\n${marker}| old |\n\nafter\n`, [report]);
  assert.equal(filled, `before\n\n${marker}|       |    x |\n| ----- | ---: |\n| floor | 1.00 |\n\nafter\n`);
  assert.equal(fillPage(filled, [report]), filled);
});

test('a page without results of its marker stays as it is; a wrong name is told', () => {
  const page = '<!-- bench: thaw/thaw fetch -->\n| old |\n';
  assert.equal(fillPage(page, [report]), page);
  assert.throws(() => fillPage('<!-- bench: warm/what ms -->\n', [report]), /no table what/);
  assert.throws(() => fillPage('<!-- bench: warm/consumer what -->\n', [report]), /no column what/);
});

test('rounds begin with another subject each time, and the first one does not count', async () => {
  const order: string[] = [];
  const samples = await inRounds({
    subjects: ['a', 'b', 'c'],
    rounds: 2,
    measure: async (subject, round) => {
      order.push(subject);
      return round;
    },
  });
  assert.equal(order.join(''), 'abcbcacab');
  assert.deepEqual(
    [...samples.values()],
    [
      [1, 2],
      [1, 2],
      [1, 2],
    ],
  );
});

test('a chart holds no markup that its words bring along, and longer bars for more', () => {
  const bar = (label: string, parts: readonly number[]) => ({ label, series: 'ours', parts, text: '<1>' }) as const;
  const svg = drawChart({
    title: 'a & b',
    subtitle: '',
    scale: 'linear',
    groups: [{ title: 'g', bars: [bar('one', [1]), bar('two', [1, 1])] }],
  });
  assert.ok(svg.includes('a &amp; b') && svg.includes('&lt;1&gt;'));
  const widths = [...svg.matchAll(/class="ours" x="[\d.]+" y="\d+" width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  );
  assert.equal(widths.length, 3);
  assert.equal(widths[0], widths[1]);
});
