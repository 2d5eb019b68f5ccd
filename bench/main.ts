/** `npm run bench`: runs benchmarks, prints what they found, and writes it down. */

import { exitCodes, type Running, runCommand } from '../tools/command.ts';
import { benches } from './benches.ts';
import { type BenchOptions, parseBenchOptions, usage } from './options.ts';
import { ensurePeers } from './support/peers.ts';
import type { Report } from './support/report.ts';
import { saveReport } from './support/save.ts';
import { reportToText } from './support/table.ts';

async function bench(options: BenchOptions, { progress, signal }: Running): Promise<number> {
  const reports: Report[] = [];
  await ensurePeers(progress.say);
  for (const name of options.only) {
    const { broker, rounds, short: isShort } = options;
    const report = await benches[name]?.({ broker, rounds, isShort, progress, signal });
    if (report === undefined) continue;
    reports.push(report);
    progress.end();
    if (!options.json) process.stdout.write(`\n${reportToText(report)}\n\n`);
    if (options.save) saveReport(report);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(reports)}\n`);
  return exitCodes.fine;
}

// after a failure, what was left open must not keep us
process.exit(await runCommand({ name: 'The benchmark', usage, parse: parseBenchOptions, work: bench }));
