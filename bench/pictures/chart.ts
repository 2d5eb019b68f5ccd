/** A picture with horizontal bars, as SVG that can be read in light and dark surroundings. Pure. */

/** Who a bar is about; each has a colour of its own. */
export type Series = 'floor' | 'ours' | 'peer' | 'other';

export interface Bar {
  readonly label: string;
  readonly series: Series;
  /** One after the other from the left; one is enough. Later ones are paler. */
  readonly parts: readonly number[];
  /** What stands behind the bar. */
  readonly text: string;
}

export interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

export interface Chart {
  readonly title: string;
  /** A line below the title. */
  readonly subtitle: string;
  readonly groups: readonly Group[];
  /** `log`: each step to the right is ten times as much, from `from` on. */
  readonly scale: 'linear' | 'log';
  /** Where a logarithmic scale begins. */
  readonly from?: number;
}

const WIDTH = 800;
const LABELS = 280;
const VALUES = 110;
const ROW = 22;
const BAR = 14;
const MARGIN = 16;
const HEAD = 58;

const style = `
  .card { fill: #ffffff; stroke: #d0d7de; }
  text { fill: #1f2328; font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
  .title { font-size: 16px; font-weight: 600; }
  .faint { fill: #59636e; }
  .group { font-weight: 600; }
  .floor { fill: #8c959f; } .ours { fill: #0969da; } .peer { fill: #d4a72c; } .other { fill: #cf6f2e; }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d; }
    text { fill: #f0f6fc; }
    .faint { fill: #9198a1; }
    .floor { fill: #9198a1; } .ours { fill: #4493f8; } .peer { fill: #d29922; } .other { fill: #db6d28; }
  }`;

export function drawChart(chart: Chart): string {
  const { title, subtitle, groups } = chart;
  const place = makeScale(chart);
  const lines: string[] = [];
  let y = HEAD;
  for (const group of groups) {
    if (group.title !== '') {
      y += 8;
      lines.push(write(MARGIN, y + 15, group.title, 'group'));
      y += ROW;
    }
    for (const bar of group.bars) {
      lines.push(...drawBar(bar, y, place));
      y += ROW;
    }
  }
  const height = y + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${plainText(title)}</title>`,
    `<style>${style}\n</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>`,
    write(MARGIN, 28, title, 'title'),
    write(MARGIN, 47, subtitle, 'faint'),
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

/** From a value to a length. */
function makeScale({ groups, scale, from = 1 }: Chart): (value: number) => number {
  const room = WIDTH - LABELS - VALUES - 2 * MARGIN;
  const totals = groups.flatMap(({ bars }) => bars.map(({ parts }) => parts.reduce((sum, part) => sum + part, 0)));
  const most = Math.max(...totals, from);
  if (scale === 'linear') return (value) => (value / most) * room;
  const decades = Math.log10(most / from);
  return (value) => (Math.max(0, Math.log10(value / from)) / decades) * room;
}

function drawBar({ label, series, parts, text }: Bar, y: number, place: (value: number) => number): string[] {
  const lines = [write(MARGIN, y + 12, label, series === 'ours' ? 'group' : '')];
  const left = MARGIN + LABELS;
  let total = 0;
  for (const [index, part] of parts.entries()) {
    const start = place(total);
    total += part;
    const width = Math.max(1, place(total) - start);
    const opacity = index === 0 ? '' : ` opacity="${Math.max(0.35, 1 - index * 0.3).toFixed(2)}"`;
    lines.push(
      `<rect class="${series}" x="${round(left + start)}" y="${y + 1}" width="${round(width)}" height="${BAR}"${opacity}/>`,
    );
  }
  lines.push(write(round(left + place(total) + 6), y + 12, text, series === 'ours' ? 'group' : 'faint'));
  return lines;
}

const round = (value: number): number => Math.round(value * 10) / 10;
const write = (x: number, y: number, text: string, name: string): string =>
  `<text x="${x}" y="${y}"${name === '' ? '' : ` class="${name}"`}>${plainText(text)}</text>`;
const plainText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
