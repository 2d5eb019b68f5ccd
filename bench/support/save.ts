/** Where reports are kept, and what is made of them: pictures, and tables in the documentation. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { drawPictures } from '../pictures/pictures.ts';
import { fillPage } from './pages.ts';
import type { Report } from './report.ts';

const root = path.join(import.meta.dirname, '../..');
const results = path.join(root, 'bench/results');
/** The pages that show tables. */
export const pages = ['docs/cold-start.md', 'docs/migrating-from-memphis-js.md'].map((name) => path.join(root, name));
export const pictures = path.join(root, 'docs/pictures');

export const savedReports = (): Report[] =>
  readdirSync(results)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(path.join(results, name), 'utf8')) as Report);

/** Writes a report as JSON, as pictures, and into the pages. */
export function saveReport(report: Report): void {
  for (const folder of [results, pictures]) mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(results, `${report.bench}.json`), `${JSON.stringify(report, null, 2)}\n`);
  for (const [name, text] of Object.entries(drawPictures(report))) writeFileSync(path.join(pictures, name), text);
  for (const page of pages) writeFileSync(page, fillPage(readFileSync(page, 'utf8'), [report]));
}
