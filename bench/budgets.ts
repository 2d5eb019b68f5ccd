/**
 * What must not grow: bytes and packages of functions' bundles, round trips, writes. All of it can be counted, so a test
 * holds it on any machine (`test/bench/budgets.test.ts`); times are looked at by people. When the toolkit gets better,
 * lower a number here; whoever raises one says why in the commit.
 */

import type { Role } from './round-trips/measure.ts';
import type { ourVariants } from './round-trips/variants.ts';

/** Minified, and everything that is inside but our own code. */
export const bundles: Readonly<Record<Role, { readonly bytes: number; readonly packages: readonly string[] }>> = {
  consumer: { bytes: 129_890, packages: [] },
  producer: { bytes: 149_510, packages: [] },
};

/** The same where the bundler was told that JetStream's driver is enough. */
export const oneDriver: Readonly<Record<Role, number>> = { consumer: 113_130, producer: 130_510 };

/** Of a consumer that was told to hold none, since a poller hands it its messages. */
export const noDriverBytes = 24_580;

/** Of a function that is `produceHandler` alone, minified. */
export const apiBytes = 98_710;

/**
 * All that a function without a codec holds of schemas: that its station has one, and the word that a codec is missing.
 * Finding out more, checking, writing and reading by schemas comes with the codecs.
 */
export const schemaFiles: Readonly<Record<Role, readonly string[]>> = {
  consumer: ['src/brokers/jetstream/schema-names.ts', 'src/brokers/memphis/schema-names.ts', 'src/schemas/registry.ts'],
  producer: [
    'src/brokers/jetstream/schema-names.ts',
    'src/brokers/memphis/schema-names.ts',
    'src/client/by-schema.ts',
    'src/schemas/registry.ts',
  ],
};

/**
 * Minified bytes of functions that run in a first invocation: V8 compiles these, at 0.1 to 0.3 ms for each KB (docs/decisions/024). What
 * is seldom needed belongs into functions of its own. `npm run bench -- --only first-run` shows where they are.
 */
export const firstRun: Readonly<Record<Role, number>> = { consumer: 34_130, producer: 31_810 };

/**
 * Regular expressions that are used in it. Each costs 10 to 45 us at its first use and as much at its second, when V8
 * compiles it: twenty of them, in short texts, were a millisecond.
 */
export const firstExpressions: Readonly<Record<Role, number>> = { consumer: 0, producer: 1 };

/** Round trips of a function's first invocation in a new process, TCP's included. */
interface Trips {
  /** Until the handler has its first batch. */
  readonly first: number;
  /** Until all of it is acked and the broker has confirmed that. */
  readonly settled: number;
  /** Of a producing function, until the broker has confirmed that its message is stored. */
  readonly stored: number;
}

export const trips: Readonly<Record<(typeof ourVariants)[number]['name'], Trips>> = {
  stated: { first: 2, settled: 3, stored: 2 },
  'tls-not-stated': { first: 3, settled: 4, stored: 3 },
  'broker-not-stated': { first: 3, settled: 4, stored: 3 },
  nkey: { first: 3, settled: 4, stored: 3 },
  tls: { first: 3, settled: 4, stored: 3 },
  memphis: { first: 2, settled: 3, stored: 2 },
  'memphis-new-group': { first: 2, settled: 3, stored: 2 },
  'new-group': { first: 5, settled: 6, stored: 2 },
};

/** Writes to the socket in the first and in the second invocation of a function, over plain TCP with everything stated. */
export const writes: Readonly<Record<Role, { readonly first: number; readonly second: number }>> = {
  consumer: { first: 2, second: 2 },
  producer: { first: 1, second: 1 },
};

/** Modules of Node that plain TCP has no need of, and that take milliseconds to load; `fetch` is the one with `undici`. */
export const costlyModules: readonly string[] = [
  'child_process',
  'crypto',
  'http',
  'http2',
  'https',
  'internal/crypto/webcrypto',
  'internal/deps/undici/undici',
  'tls',
  'worker_threads',
  'zlib',
];
