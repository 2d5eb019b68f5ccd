/** Where the functions find their broker and their messages; ours reads `MEMPHIS_*` by itself, the others this. */

declare global {
  /** Set by whoever runs a function: told when the first batch is in its hands. */
  var benchFirst: (() => void) | undefined;
}

export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly batchSize: number;
  readonly stream: string;
  readonly durable: string;
  readonly subject: string;
}

export function settings(): Settings {
  const { MEMPHIS_SERVERS = '', MEMPHIS_BATCH_SIZE = '10', BENCH_DURABLE = '' } = process.env;
  const { hostname, port } = new URL(MEMPHIS_SERVERS);
  return {
    host: hostname,
    port: Number(port),
    batchSize: Number(MEMPHIS_BATCH_SIZE),
    stream: 's$1',
    durable: BENCH_DURABLE,
    subject: 's$1.final',
  };
}
