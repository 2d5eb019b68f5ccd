/** One Node makes the cache of its own version, and another process of it tries that cache. */

import { execFile } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeError, MemphisError } from '../model/errors.ts';
import { type CacheFiles, cacheName, codeName, compiling } from './loader.ts';

/** A cache, and for which Node it is. */
export interface MadeCache {
  readonly cache: string;
  readonly cacheBytes: number;
  /** As `process.version` has it. */
  readonly node: string;
  /** As `process.arch` has it. */
  readonly arch: string;
}

/**
 * Compiles all functions, not only what runs at the start: V8 is told not to be lazy, and by the time that it notes its flags in the
 * cache, it is again.
 */
const making = `
const { readFileSync, writeFileSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { Script, constants } = require('node:vm');
const [code, stem] = process.argv.slice(1);
setFlagsFromString('--no-lazy');
const script = new Script(readFileSync(code, 'utf8'), {
  filename: code,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
setFlagsFromString('--lazy');
const { version, arch } = process;
writeFileSync(\`\${stem}.\${version}-\${arch}.cache\`, script.createCachedData());
process.stdout.write(JSON.stringify({ version, arch }));
`;

/** As functions are started on Lambda. */
const flagsOfLambda = ['--expose-gc', '--max-semi-space-size=8', '--max-old-space-size=160'];

interface Making {
  readonly files: CacheFiles;
  readonly isAscii: boolean;
  /** Holds the code; the cache is put there. */
  readonly folder: string;
  /** How its user calls it. */
  readonly bundle: string;
}

/** @returns the cache's name in the folder */
export async function makeWith(program: string, { files, isAscii, folder, bundle }: Making): Promise<MadeCache> {
  const code = join(folder, codeName(files));
  const told = await run(program, ['-e', making, code, code.slice(0, -'.js'.length)], bundle);
  const { version, arch } = JSON.parse(told) as { version: string; arch: string };
  const cache = cacheName(files, version, arch);
  const trial = join(folder, 'trial.cjs');
  await writeFile(trial, `${compiling(files, isAscii)}process.stdout.write(reason ?? '');`);
  for (const flags of [[], flagsOfLambda]) {
    const reason = await run(program, [...flags, trial], bundle);
    if (reason === '') continue;
    const text = `${program} does not take the code cache that it made of ${bundle} (${['node', ...flags].join(' ')}): ${reason}.`;
    throw new MemphisError('PROGRAM_FAILED', text);
  }
  const { size } = await stat(join(folder, cache));
  return { cache, cacheBytes: size, node: version, arch };
}

/** The program gets none of the flags that its parent's environment holds. */
async function run(program: string, args: readonly string[], bundle: string): Promise<string> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  try {
    return (await promisify(execFile)(program, [...args], { env, maxBuffer: 2 ** 26 })).stdout;
  } catch (cause) {
    const { stderr = '' } = cause as { stderr?: string };
    const [syntax] = /^SyntaxError: .*/m.exec(stderr) ?? [];
    if (syntax === undefined) {
      const words = stderr === '' ? describeError(cause) : stderr.trim().split('\n').slice(-8).join('\n');
      throw new MemphisError('PROGRAM_FAILED', `${program} makes no code cache of ${bundle}: ${words}`, { cause });
    }
    const text = `The bundle ${bundle} is no CommonJS that compiles (${syntax}): bundle it with --format=cjs.`;
    throw new MemphisError('INVALID_OPTION', text, { option: 'file' });
  }
}
