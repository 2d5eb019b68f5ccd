/** Finds nats-server programs on this machine, and sees to it that there is one. Starts none: start-broker.ts does. */

import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { MemphisError } from '../model/errors.ts';
import type { OptionSpec } from '../model/option-spec.ts';
import { checkOptions } from '../model/resolve-options.ts';
import { installNatsServer } from './install-nats-server.ts';

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The nats-server programs of this machine, best first. `NATS_SERVER_BIN` (several are separated as in `PATH`) has
 * the say when it names at least one program; else those on `PATH`, then those in the cache folder, newest first.
 *
 * @param env default: `process.env`
 * @returns paths of executable files; empty when there is none
 */
export function findNatsServers(env: Environment = process.env): string[] {
  const named = unique(toList(env.NATS_SERVER_BIN).map((path) => resolve(path)));
  if (named.length > 0) return named;
  const folders = toList(env.PATH).flatMap(withSbin);
  return unique([...folders.map((folder) => join(folder, 'nats-server')), ...cachedPrograms(env)]);
}

/** Where {@link ensureNatsServer} keeps what it fetched: one folder a version, the program in it. */
export function natsServerCache(env: Environment = process.env): string {
  const base = env.XDG_CACHE_HOME;
  const cache = base !== undefined && isAbsolute(base) ? base : join(env.HOME ?? homedir(), '.cache');
  return join(cache, 'memphis-serverless', 'nats-server');
}

/** The version that a program reports (`2.9.10`), or nothing when it does not run or is no nats-server. */
export function natsServerVersion(binary: string): string | undefined {
  const { status, stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? /^nats-server: v(\S+)/m.exec(stdout)?.[1] : undefined;
}

/** Options of {@link ensureNatsServer}. */
export interface EnsureNatsServerOptions {
  /** Called with a line of text before anything that takes time. Default: nobody is told. */
  readonly log?: (line: string) => void;
  /** Where programs and the cache folder are looked for. Default: `process.env` */
  readonly env?: Environment;
}

const must = (what: string): never => {
  throw new RangeError(what);
};

/**
 * The path of a nats-server that runs. Where there is none, Debian's package is unpacked into the cache folder
 * (no root, no service), else Homebrew is asked to install it.
 *
 * @throws MemphisError `PROGRAM_FAILED` with what to do, when none can be had; `INVALID_OPTION`
 */
export async function ensureNatsServer(options: EnsureNatsServerOptions = {}): Promise<string> {
  checkOptions('ensureNatsServer', ensureOptions, options);
  const { env = process.env, log = () => {} } = options;
  const named = toList(env.NATS_SERVER_BIN);
  if (named.length > 0 && unique(named.map((path) => resolve(path))).length === 0) {
    log(`NATS_SERVER_BIN names no program (${named.join(', ')}); looking elsewhere.`);
  }
  for (const binary of findNatsServers(env)) {
    if (natsServerVersion(binary) !== undefined) return binary;
    log(`${binary} does not run as a nats-server; looking elsewhere.`);
  }
  const failures = await installNatsServer({ cache: natsServerCache(env), env, log, versionOf: natsServerVersion });
  const installed = findNatsServers({ ...env, NATS_SERVER_BIN: undefined });
  const found = installed.find((binary) => natsServerVersion(binary) !== undefined);
  if (found !== undefined) return found;
  throw new MemphisError(
    'PROGRAM_FAILED',
    `There is no nats-server on this machine and none could be installed (${failures.join('; ')}). Install it ` +
      '(Debian and Ubuntu: apt install nats-server, macOS: brew install nats-server) so that it is on PATH, or name ' +
      'its path in NATS_SERVER_BIN.',
  );
}

const ensureOptions = {
  log: {
    read: (value: unknown) => (typeof value === 'function' ? value : must('a function')),
    fallback: undefined,
  },
  env: {
    read: (value: unknown) => (typeof value === 'object' && value !== null ? value : must('an object of texts')),
    fallback: undefined,
  },
} as const satisfies Record<string, OptionSpec<unknown>>;

function toList(text: string | undefined): string[] {
  return (text ?? '').split(delimiter).filter((item) => item !== '');
}

/** Debian puts servers into sbin, which is not on the PATH of ordinary users. */
function withSbin(folder: string): string[] {
  return basename(folder) === 'bin' ? [folder, join(dirname(folder), 'sbin')] : [folder];
}

function cachedPrograms(env: Environment): string[] {
  const cache = natsServerCache(env);
  try {
    const newestFirst = readdirSync(cache).sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
    return newestFirst.map((version) => join(cache, version, 'nats-server'));
  } catch {
    return []; // no cache folder yet
  }
}

/** Executable files alone, each once, however many links lead to it. */
function unique(paths: readonly string[]): string[] {
  const seen = new Set<string>();
  return paths.filter((path) => {
    try {
      accessSync(path, constants.X_OK);
      const real = realpathSync(path);
      if (!statSync(real).isFile() || seen.has(real)) return false;
      seen.add(real);
      return true;
    } catch {
      return false;
    }
  });
}
