/** The demo's command line. */

import { readArgs, readBroker, UsageError } from '../tools/command.ts';

export interface DemoOptions {
  /** Orders to send, 1 to 100,000; a quarter as many invoices go with them. */
  readonly messages: number;
  /** Kill the broker half-way through the sending and start it again. */
  readonly chaos: boolean;
  /** `memphis`: the broker that `MEMPHIS_TEST_URL` names, else the one of compose.yaml. */
  readonly broker: 'jetstream' | 'memphis';
  /** Print the result as JSON; progress goes to stderr. */
  readonly json: boolean;
  readonly help: boolean;
}

export const usage = `Usage: npm run demo -- [options]

Starts a broker and the functions of serverless.yml on this machine, sends orders through the HTTP function,
lets the poller and the scheduled job work, and checks that every message is accounted for.

  --messages N   orders to send, 1 to 100000 (default 200)
  --chaos        kill the broker half-way and start it again
  --broker KIND  jetstream (a nats-server that is started here, the default) or memphis: the broker that MEMPHIS_TEST_URL
                 names (HTTP API: MEMPHIS_API_URL), else that of compose.yaml; it must have no stations orders and invoices
  --json         print the result as JSON
  --help         show this text

Exit codes: 0 everything adds up, 1 it does not or something failed, 2 wrong usage, 130 interrupted.`;

/** @throws UsageError for unknown options and values out of range */
export function parseDemoOptions(args: readonly string[]): DemoOptions {
  const values = readArgs(args, {
    messages: { type: 'string', default: '200' },
    chaos: { type: 'boolean', default: false },
    broker: { type: 'string', default: 'jetstream' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  const messages = /^\d{1,6}$/.test(values.messages) ? Number(values.messages) : 0;
  if (messages < 1 || messages > 100_000) throw new UsageError('--messages must be a whole number from 1 to 100000.');
  const broker = readBroker(values.broker);
  if (broker === 'memphis' && values.chaos)
    throw new UsageError('--chaos kills a broker that the demo started itself.');
  return { ...values, messages, broker };
}
