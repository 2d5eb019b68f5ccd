/** `npm run bench`: runs benchmarks, prints what they found, and writes it down. */

import { makeProgress } from '../tools/progress.ts';
import { benches } from './benches.ts';
import { type BenchOptions, parseBenchOptions, UsageError, usage } from './options.ts';
import { ensurePeers } from './support/peers.ts';
import type { Report } from './support/report.ts';
import { saveReport } from './support/save.ts';
import { reportToText } from './support/table.ts';

const exitCodes = { fine: 0, failed: 1, wrongUsage: 2, interrupted: 130 } as const;

function readOptions(): BenchOptions | undefined {
  try {
    return parseBenchOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}\n`);
    return undefined;
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return exitCodes.wrongUsage;
  if (options.help) {
    process.stdout.write(`${usage}\n`);
    return exitCodes.fine;
  }
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort(new Error('interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop); // the second one ends us as usual
  const progress = makeProgress(options.json ? process.stderr : process.stdout);
  const reports: Report[] = [];
  try {
    await ensurePeers(progress.say);
    for (const name of options.only) {
      const { broker, rounds, short: isShort } = options;
      const report = await benches[name]?.({ broker, rounds, isShort, progress, signal: interrupt.signal });
      if (report === undefined) continue;
      reports.push(report);
      progress.end();
      if (!options.json) process.stdout.write(`\n${reportToText(report)}\n\n`);
      if (options.save) saveReport(report);
    }
    if (options.json) process.stdout.write(`${JSON.stringify(reports)}\n`);
    return exitCodes.fine;
  } catch (error) {
    progress.end();
    if (interrupt.signal.aborted) {
      process.stderr.write('Interrupted; everything that was started is stopped.\n');
      return exitCodes.interrupted;
    }
    process.stderr.write(`The benchmark failed: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
    return exitCodes.failed;
  }
}

process.exit(await main()); // after a failure, what was left open must not keep us
