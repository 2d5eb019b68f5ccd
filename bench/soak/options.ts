/** The command line of the soak. */

import { readArgs, readBroker, UsageError } from '../../tools/command.ts';

export interface SoakOptions {
  /** `memphis`: the broker that `MEMPHIS_TEST_URL` names. */
  readonly broker: 'jetstream' | 'memphis';
  /** A shell command that kills that broker and starts it again; left out: it lives on. */
  readonly restart: string | undefined;
  readonly minutes: number;
  /** The same seed plays the same freezes and faults, as far as time allows. */
  readonly seed: number;
  readonly json: boolean;
  readonly help: boolean;
}

export const usage = `Usage: npm run soak -- [options]

Lets functions produce and consume on a real broker, in AWS's runtime client, while they are frozen at random points,
their connections are closed, reset and silenced, and the broker is killed and started again. At the end every message
must be accounted for, and memory, sockets and timers of the functions must not have grown.

  --broker KIND jetstream (a nats-server that is started here, the default) or memphis: the broker that MEMPHIS_TEST_URL names
                (HTTP API: MEMPHIS_API_URL), which must have no station soak
  --restart CMD a shell command that kills the broker of --broker memphis and starts it again, and ends when that is up;
                it is run now and then. Left out: that broker is not killed
  --minutes N   how long there is load, 0.1 to 1440 (default 5)
  --seed N      another game, 0 to 4294967295 (default: by chance)
  --json        print the result as JSON; progress goes to stderr
  --help        show this text

Exit codes: 0 everything adds up, 1 it does not or something failed, 2 wrong usage, 130 interrupted.`;

/** @throws UsageError for unknown options and values out of range */
export function parseSoakOptions(args: readonly string[]): SoakOptions {
  const values = readArgs(args, {
    broker: { type: 'string', default: 'jetstream' },
    restart: { type: 'string' },
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  const minutes = Number(values.minutes);
  if (!(minutes >= 0.1 && minutes <= 1_440)) throw new UsageError('--minutes must be a number from 0.1 to 1440.');
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
    throw new UsageError('--seed must be a whole number from 0 to 4294967295.');
  }
  const broker = readBroker(values.broker);
  const { restart } = values;
  if (restart !== undefined && broker !== 'memphis') throw new UsageError('--restart is for --broker memphis.');
  return { broker, restart, minutes, seed, json: values.json, help: values.help };
}
