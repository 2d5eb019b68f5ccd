/** One Node makes the cache of its own version, and another process of it tries that cache. */

import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { MemphisError } from '../model/errors.ts';
import { type CacheFiles, cacheName, codeName, compiling, wrapper } from './loader.ts';
import { type ForNode, type Report, type Run, writeProgram } from './program.ts';
import { runNode } from './run-node.ts';
import { whyNone, wordsOf } from './why-none.ts';

/** A cache, and for which Node it is. */
export interface MadeCache {
  readonly cache: string;
  readonly cacheBytes: number;
  /** Which functions it holds: all of the bundle, or those that ran. */
  readonly functions: 'all' | 'run';
  /** As `process.version` has it. */
  readonly node: string;
  /** As `process.arch` has it. */
  readonly arch: string;
}

export interface MakeSettings {
  readonly files: CacheFiles;
  readonly isAscii: boolean;
  /** Holds the code; the cache is put there. */
  readonly folder: string;
  /** How its user calls it. */
  readonly bundle: string;
  /** Left out: nothing of the bundle is run, and all of it is compiled. */
  readonly run?: Run | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Gets what the bundle writes while it runs. */
  readonly onOutput?: ((text: string) => void) | undefined;
  /** Ends what runs. */
  readonly signal?: AbortSignal | undefined;
}

/** As functions are started on Lambda. */
export const flagsOfLambda = ['--expose-gc', '--max-semi-space-size=8', '--max-old-space-size=160'];

/** @returns the cache's name in the folder @throws MemphisError; what `signal` was aborted with */
export async function makeWith(program: string, settings: MakeSettings): Promise<MadeCache> {
  const { files, isAscii, folder, bundle, run, env, signal } = settings;
  const { version, arch } = await make(program, settings);
  const cache = cacheName(files, version, arch);
  const trial = join(folder, 'trial.cjs');
  await writeFile(trial, `${compiling(files, isAscii)}process.stdout.write(reason ?? '');`);
  for (const flags of [[], flagsOfLambda]) {
    const { trouble, stdout, stderr } = await runNode({ program, args: [...flags, trial], env, signal });
    const reason = trouble === undefined ? stdout : wordsOf(trouble, stderr);
    if (reason === '') continue;
    const text = `${program} does not take the code cache that it made of ${bundle} (${['node', ...flags].join(' ')}): ${reason}.`;
    throw new MemphisError('PROGRAM_FAILED', text);
  }
  const { size } = await stat(join(folder, cache));
  return { cache, cacheBytes: size, functions: run === undefined ? 'all' : 'run', node: version, arch };
}

async function make(program: string, settings: MakeSettings): Promise<ForNode> {
  const { files, folder, bundle, run, env, onOutput, signal } = settings;
  const code = join(folder, codeName(files));
  const [file, report] = [join(folder, 'program.cjs'), join(folder, 'report.json')];
  const own = resolve(bundle);
  const making = {
    code,
    cache: code.slice(0, -'.js'.length),
    filename: join(dirname(own), codeName(files)),
    columnOffset: -wrapper[0].length,
    bundle: own,
    report,
    run,
  };
  await writeFile(file, writeProgram(making));
  await rm(report, { force: true });
  const ended = await runNode({
    program,
    args: [file],
    env,
    limitMs: run?.timeoutMs,
    onOutput: run && onOutput,
    signal,
  });
  const said = await readReport(report);
  if (said !== undefined && 'version' in said) return said;
  throw whyNone({ program, bundle, run, env, ended, report: said });
}

/** @returns nothing when there is none, or half of one since the process was killed */
async function readReport(file: string): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}
