/** Brings a nats-server onto this machine without root: Debian's package unpacked into a folder, else Homebrew. */

import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeError } from '../model/errors.ts';

/** What an installation needs to know. */
export interface Installation {
  /** The program ends up in a folder of this one that is named after its version. */
  readonly cache: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: (line: string) => void;
  /** The version of a program that runs. */
  readonly versionOf: (binary: string) => string | undefined;
}

const MINUTE_MS = 60_000;

/**
 * Tries one way after the other. Never throws.
 *
 * @returns why each way failed, one short text each; empty when one of them did its work
 */
export async function installNatsServer(installation: Installation): Promise<string[]> {
  const failures: string[] = [];
  for (const [name, install] of [
    ["Debian's package", unpackDebianPackage],
    ['Homebrew', installWithHomebrew],
  ] as const) {
    try {
      await install(installation);
      return [];
    } catch (error) {
      failures.push(`${name}: ${reasonOf(error)}`);
    }
  }
  return failures;
}

/** `dpkg -x` writes files and runs none of the package's scripts: nothing is enabled or started. */
async function unpackDebianPackage(installation: Installation): Promise<void> {
  const { cache, env, log, versionOf } = installation;
  await run('apt-get', ['--version'], { env });
  const work = await mkdtemp(join(tmpdir(), 'memphis-serverless-apt-'));
  try {
    log(`No nats-server found: fetching Debian's package into ${cache} (no root, no service).`);
    await download(work, installation);
    const archive = (await readdir(work)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get downloaded nothing');
    await run('dpkg', ['-x', join(work, archive), join(work, 'files')], { env });
    const unpacked = join(work, 'files', 'usr', 'sbin', 'nats-server');
    await keep(unpacked, cache, versionOf);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** With the system's package lists, else (none yet, or out of date) with lists of our own. */
async function download(work: string, { env, log }: Installation): Promise<void> {
  const packageName = 'nats-server';
  const inWork = { env, cwd: work };
  try {
    await run('apt-get', [...aptOptions(), 'download', packageName], inWork);
  } catch {
    log('The package lists do not offer it: fetching lists into a temporary folder, once.');
    const lists = join(work, 'lists');
    const archives = join(work, 'cache', 'archives');
    await mkdir(join(lists, 'partial'), { recursive: true });
    await mkdir(join(archives, 'partial'), { recursive: true });
    const own = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${join(work, 'cache')}`];
    await run('apt-get', [...aptOptions(), ...own, 'update'], { ...inWork, timeoutMs: 5 * MINUTE_MS });
    await run('apt-get', [...aptOptions(), ...own, 'download', packageName], inWork);
  }
}

function aptOptions(): string[] {
  const options = ['-q', '-o', 'Acquire::Retries=2', '-o', 'Acquire::Languages=none'];
  // Root's apt steps down to a user of its own, who cannot write into our folders.
  return process.getuid?.() === 0 ? [...options, '-o', 'APT::Sandbox::User=root'] : options;
}

/** Only a whole program that runs gets its name: two installations at once do not meet half a file. */
async function keep(program: string, cache: string, versionOf: Installation['versionOf']): Promise<void> {
  const version = versionOf(program);
  if (version === undefined) throw new Error('the program of the package does not run here');
  const folder = join(cache, version);
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `.draft-${process.pid}`);
  await copyFile(program, draft);
  await chmod(draft, 0o755);
  await rename(draft, join(folder, 'nats-server'));
}

async function installWithHomebrew({ env, log }: Installation): Promise<void> {
  await run('brew', ['--version'], { env });
  log('No nats-server found: brew install nats-server (some minutes).');
  const quiet = { HOMEBREW_NO_AUTO_UPDATE: '1', HOMEBREW_NO_ANALYTICS: '1', NONINTERACTIVE: '1' };
  await run('brew', ['install', 'nats-server'], { env: { ...env, ...quiet }, timeoutMs: 15 * MINUTE_MS });
}

interface RunOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** @default 2 minutes */
  readonly timeoutMs?: number;
}

async function run(command: string, args: readonly string[], { env, cwd, timeoutMs }: RunOptions): Promise<void> {
  const running = promisify(execFile)(command, args, {
    cwd,
    env: { ...env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    timeout: timeoutMs ?? 2 * MINUTE_MS,
    maxBuffer: 16 * 1024 * 1024,
  });
  running.child.stdin?.end(); // whatever asks a question gets no answer
  await running;
}

/** One line: "not on this machine" or the program's own last complaint. */
function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return describeError(error);
  const { code, killed, path, stderr } = error as {
    code?: unknown;
    killed?: unknown;
    path?: unknown;
    stderr?: unknown;
  };
  if (code === 'ENOENT' && typeof path === 'string') return `there is no ${path}`;
  if (killed === true) return 'took too long';
  const complaint = typeof stderr === 'string' ? stderr.trim().split('\n').at(-1) : undefined;
  return complaint || describeError(error);
}
