/** Bundles as a user would make them for Lambda: one CommonJS file, minified. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { functionBundle } from './function-bundle.ts';

const root = path.join(import.meta.dirname, '../..');

/** What the web framework inside memphis-dev asks for and does not bring; left out, as it can do without. */
const MISSING_IN_MEMPHIS_DEV = [
  '@grpc/*',
  '@nestjs/websockets/*',
  'amqp-connection-manager',
  'amqplib',
  'cache-manager',
  'class-transformer',
  'class-validator',
  'ioredis',
  'kafkajs',
  'mqtt',
];

/** A bundle on disk. */
export interface Bundle {
  readonly file: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** The files inside, from the repository's top. */
  readonly inputs: readonly string[];
  /** What is left to be loaded at run time. */
  readonly imports: readonly string[];
}

/** Leaves the toolkit out: it is loaded from `dist`, as an installation has it. */
const apart = (format: 'cjs' | 'esm'): Plugin => ({
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: /^memphis-serverless\// }, ({ path: name }) => {
      const [, subpath = ''] = name.split('/');
      return { path: path.join(root, 'dist', format, subpath, 'index.js'), external: true };
    });
  },
});

/**
 * @param entry path from the folder `bench/`
 * @param options.isApart the toolkit is not part of it; needs `dist`
 * @param options.driver the only one inside, or `none`
 */
export async function bundle(
  entry: string,
  outfile: string,
  {
    isApart = false,
    driver,
    ...options
  }: {
    minify?: boolean;
    format?: 'cjs' | 'esm';
    sourcemap?: boolean;
    isApart?: boolean;
    driver?: 'jetstream' | 'none';
  } = {},
): Promise<Bundle> {
  const { metafile } = await build({
    ...functionBundle,
    entryPoints: [path.join(root, 'bench', entry)],
    outfile,
    external: ['@aws-sdk/*', ...(entry.startsWith('peers/memphis') ? MISSING_IN_MEMPHIS_DEV : [])],
    ...options,
    define: driver === undefined ? {} : { 'process.env.MEMPHIS_DRIVER': JSON.stringify(driver) },
    plugins: [...functionBundle.plugins, ...(isApart ? [apart(options.format ?? 'cjs')] : [])],
    metafile: true,
  });
  const output = Object.entries(metafile.outputs).find(([file]) => !file.endsWith('.map'))?.[1];
  const text = readFileSync(outfile);
  return {
    file: outfile,
    bytes: text.length,
    gzipBytes: gzipSync(text).length,
    inputs: Object.entries(output?.inputs ?? {}).flatMap(([file, { bytesInOutput }]) =>
      bytesInOutput > 0 ? [file] : [],
    ),
    imports: (output?.imports ?? []).map((imported) => imported.path),
  };
}

/** Names of the packages inside a bundle. */
export function packagesIn({ inputs }: Bundle): string[] {
  const names = inputs.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
  return [...new Set(names)].sort();
}
