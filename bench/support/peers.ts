/** Sees to it that the clients we compare with are there: in a folder of their own, as its lockfile has them. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.join(import.meta.dirname, '../peers');

function packagesOf(lockfile: string): string | undefined {
  const file = path.join(folder, lockfile);
  if (!existsSync(file)) return undefined;
  const { packages } = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, { version?: string }> };
  const versions = Object.entries(packages).filter(([place]) => place !== '');
  return JSON.stringify(versions.map(([place, { version }]) => [place, version]).sort());
}

/** Runs `npm ci` in `bench/peers` unless everything is there. @throws Error when that fails */
export async function ensurePeers(say: (line: string) => void): Promise<void> {
  if (packagesOf('package-lock.json') === packagesOf('node_modules/.package-lock.json')) return;
  say('Installing the clients to compare with into bench/peers (npm ci, some seconds).');
  const npm = process.env.npm_execpath ?? '';
  const isNpm = path.basename(npm).startsWith('npm') && existsSync(npm);
  const [command, args] = isNpm ? [process.execPath, [npm]] : ['npm', []];
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(config_local_prefix|package)/.test(name)),
  );
  const child = spawn(command, [...args, 'ci', '--no-progress'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0)
    throw new Error(`The clients to compare with could not be installed: npm ci in bench/peers ended with ${code}.`);
}
