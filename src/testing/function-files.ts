/** Finds the files that a function is made of: AWS's runtime client, and a handler in TypeScript. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MemphisError } from '../model/errors.ts';
import type { TypeScriptSource } from './runtime-client.ts';

/**
 * The entry of `aws-lambda-ric`, as installed for the function's code or for the program that runs.
 *
 * @throws MemphisError `DEPENDENCY_MISSING`
 */
export function findRuntimeClient(taskRoot: string): string {
  for (const folder of [taskRoot, process.cwd(), dirname(process.argv[1] ?? '.')]) {
    try {
      return createRequire(join(folder, 'noop.js')).resolve('aws-lambda-ric');
    } catch {
      // not from there
    }
  }
  throw new MemphisError(
    'DEPENDENCY_MISSING',
    'startFunction needs the package aws-lambda-ric, and it is not installed: npm install --save-dev --ignore-scripts ' +
      'aws-lambda-ric@4 (its native part is not used, so it need not be compiled).',
  );
}

/** Where a handler is that the client would not find, since it looks for JavaScript only (its module-loader). */
export function findTypeScript(taskRoot: string, handler: string): TypeScriptSource | undefined {
  const file = basename(handler);
  const folder = handler.slice(0, handler.length - file.length);
  const base = resolve(taskRoot, folder, file.split('.')[0] ?? '');
  if (['', '.js', '.mjs', '.cjs'].some((extension) => existsSync(base + extension))) return undefined;
  const extension = ['.ts', '.mts', '.cts'].find((candidate) => existsSync(base + candidate));
  if (extension === undefined) return undefined;
  return { soughtFile: `${base}.js`, url: pathToFileURL(base + extension).href };
}
