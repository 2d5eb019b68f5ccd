/** The command line of the benchmarks. */

import { readArgs, readBroker, UsageError } from '../tools/command.ts';
import { benches, memphisBenches } from './benches.ts';

export interface BenchOptions {
  /** `memphis`: the broker that `MEMPHIS_TEST_URL` names, else the one of compose.yaml. */
  readonly broker: 'jetstream' | 'memphis';
  /** Names of benchmarks. */
  readonly only: readonly string[];
  readonly rounds: number | undefined;
  readonly short: boolean;
  readonly json: boolean;
  readonly save: boolean;
  readonly help: boolean;
}

const names = Object.keys(benches);

export const usage = `Usage: npm run bench -- [options]

Measures the toolkit on this machine, beside a bare socket and other clients (which are installed into bench/peers at
the first time), prints tables, and writes them to bench/results, into pages of docs, and as pictures to docs/pictures.

  --broker KIND jetstream (a nats-server that is started here, the default) or memphis: the broker that MEMPHIS_TEST_URL names
                (HTTP API: MEMPHIS_API_URL), else that of compose.yaml; it must have no station s;
                ${memphisBenches.join(', ')} only, beside memphis-dev
  --only A,B    some of: ${names.join(', ')}
  --rounds N    rounds of each table, 1 to 1000; left out: as many as give steady medians
  --short       two rounds, to see that everything works; nothing is written
  --json        print the reports as JSON; progress goes to stderr
  --no-save     write nothing
  --help        show this text

What else the machine does is in the numbers: compare ratios of one run only.

Exit codes: 0 done, 1 something failed, 2 wrong usage, 130 interrupted.`;

/** @throws UsageError for unknown options and values out of range */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const values = readArgs(args, {
    broker: { type: 'string', default: 'jetstream' },
    only: { type: 'string' },
    rounds: { type: 'string' },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: true },
    help: { type: 'boolean', default: false },
  });
  const broker = readBroker(values.broker);
  const all = broker === 'memphis' ? memphisBenches : names;
  const only = values.only === undefined ? all : values.only.split(',').map((name) => name.trim());
  const unknown = only.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new UsageError(`--only: there is no ${unknown}; there are ${all.join(', ')}.`);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1 && rounds <= 1_000)) {
    throw new UsageError('--rounds must be a whole number from 1 to 1000.');
  }
  return {
    broker,
    only,
    rounds,
    short: values.short,
    json: values.json,
    save: values.save && !values.short,
    help: values.help,
  };
}
