/** Holds docs/cold-start.md, its pictures and the results of the benchmarks together: all of them come from one run. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { benches, memphisBenches } from '../../bench/benches.ts';
import { drawPictures } from '../../bench/pictures/pictures.ts';
import { fillPage } from '../../bench/support/pages.ts';
import { pages, pictures, savedReports } from '../../bench/support/save.ts';

const reports = savedReports();
const texts = pages.map((page) => readFileSync(page, 'utf8'));
const [page = '', text = ''] = [pages[0], texts[0]];

test('there is a result of every benchmark', () => {
  const all = [...Object.keys(benches), ...memphisBenches.map((name) => `memphis-${name}`)];
  assert.deepEqual(reports.map(({ bench }) => bench).sort(), all.sort());
});

test('the tables of the pages are those of the results', () => {
  for (const each of texts) assert.equal(fillPage(each, reports), each);
  for (const { bench } of reports) assert.ok(text.includes(`<!-- bench: ${bench}/`), `shows nothing of ${bench}`);
});

test('the pictures are those of the results, and all are shown', () => {
  const drawn = new Map(reports.flatMap((report) => Object.entries(drawPictures(report))));
  assert.deepEqual([...drawn.keys()].sort(), readdirSync(pictures).sort());
  for (const [name, svg] of drawn) {
    assert.equal(readFileSync(join(pictures, name), 'utf8'), svg, name);
    assert.ok(text.includes(`(pictures/${name})`), `${name} is not shown`);
  }
});

test('every picture that README.md and the page show is there', () => {
  for (const file of [page, join(dirname(page), '../README.md')]) {
    const shown = [...readFileSync(file, 'utf8').matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path = '']) => path);
    assert.ok(shown.length > 0, file);
    for (const path of shown) assert.ok(existsSync(join(dirname(file), path)), path);
  }
});

test('results tell the kind of machine and not which one', () => {
  for (const report of reports) {
    const words = JSON.stringify(report);
    assert.doesNotMatch(words, /\/(home|root|tmp|work|Users|var)\//, report.bench);
    assert.match(report.node, /^\d+\.\d+\.\d+$/);
    assert.match(report.server, /^((Memphis )?\d+\.\d+\.\d+|none$)/);
  }
});
