/** Makes the code cache of a function's bundle: V8's own form of its functions, so that a cold start compiles none. */

import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { describeError, MemphisError } from '../model/errors.ts';
import { type CacheFiles, codeName, readLoader, wrapper, writeLoader } from './loader.ts';
import { type MadeCache, type MakeSettings, makeWith } from './make-with.ts';

/** What was made. */
export interface CodeCache {
  /** The loader: what is required from now on, in the bundle's place. */
  readonly file: string;
  /** The bundle's code. */
  readonly code: string;
  readonly codeBytes: number;
  readonly caches: readonly MadeCache[];
}

export interface CodeCacheSettings extends Pick<MakeSettings, 'run' | 'onOutput' | 'signal'> {
  /** Programs, each of which makes the cache for its own version. Default: the Node that runs this. */
  readonly nodes?: readonly string[] | undefined;
  /** Of a function that is run. Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Puts a loader in the place of a CommonJS bundle, its code and the cache beside it. The bundle is compiled, and not run unless `run`
 * says so. Nothing in its folder changes before all is made and tried; what was made of older builds is taken away at the end.
 * @param file the bundle; or the loader that an earlier call put in its place: then caches are added to those that are there
 * @throws MemphisError `INVALID_OPTION` when it cannot be read, is no CommonJS or has no such handler; `PROGRAM_FAILED` when a Node makes
 * no cache; `FUNCTION_FAILED` when the function was to be run and did not end well; what `signal` was aborted with
 */
export async function makeCodeCache(
  file: string,
  { nodes = [process.execPath], run, env = process.env, onOutput, signal }: CodeCacheSettings = {},
): Promise<CodeCache> {
  const { files, source } = await readBundle(file);
  const work = await mkdtemp(join(tmpdir(), 'memphis-serverless-code-cache-'));
  try {
    const isAscii = !/[^\0-\x7f]/.test(source);
    await writeFile(join(work, codeName(files)), source);
    const settings = { files, isAscii, folder: work, bundle: file };
    const made: MadeCache[] = [];
    for (const node of nodes) made.push(await makeWith(node, { ...settings, run, env, onOutput, signal }));
    await writeFile(join(work, basename(file)), writeLoader(files, isAscii));
    const folder = dirname(file);
    // The loader comes last: until then the bundle is there, as it was.
    for (const name of [...made.map(({ cache }) => cache), codeName(files), basename(file)]) {
      const place = join(folder, name);
      await copyFile(join(work, name), `${place}.part`);
      await rename(`${place}.part`, place);
    }
    await removeOlder(folder, files);
    return {
      file,
      code: join(folder, codeName(files)),
      codeBytes: Buffer.byteLength(source),
      caches: made.map((one) => ({ ...one, cache: join(folder, one.cache) })),
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function readBundle(file: string): Promise<{ files: CacheFiles; source: string }> {
  const text = await read(file);
  const known = readLoader(text);
  if (known !== undefined) return { files: known, source: await read(join(dirname(file), codeName(known))) };
  if (extname(file) === '.mjs') {
    throw new MemphisError(
      'INVALID_OPTION',
      `The bundle ${file} is an ES module, and code caches are for CommonJS: bundle it with --format=cjs.`,
      { option: 'file' },
    );
  }
  const source = wrapper.join(text.replace(/^#!.*/, ''));
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 12);
  return { files: { stem: basename(file, extname(file)), hash }, source };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const text = `The bundle ${file} cannot be read: ${describeError(cause)}.`;
    throw new MemphisError('INVALID_OPTION', text, { option: 'file', cause });
  }
}

/** Code and caches of builds before this one. */
async function removeOlder(folder: string, { stem, hash }: CacheFiles): Promise<void> {
  const own = `${stem}.code-`;
  const older = (await readdir(folder)).filter(
    (name) =>
      name.startsWith(own) &&
      !name.startsWith(own + hash) &&
      /^[0-9a-f]{12}\.(js|.+\.cache)$/.test(name.slice(own.length)),
  );
  for (const name of older) await rm(join(folder, name));
}
