/** Makes a checkout ready: packages as the lockfile has them, and a Node that the project supports. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** From here on Node runs TypeScript without a flag. */
export const OLDEST_NODE = '22.18.0';

/** Whether a version (`24.21.0`) is one that tools and tests run on. */
export function isSupportedNode(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE.split('.').map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/**
 * Why packages must be installed, or nothing when they need not. npm writes down in `node_modules` what it put there,
 * as the last thing it does; what is optional (other platforms' programs) may be missing.
 */
export function whyInstall(top) {
  const wanted = readPackages(path.join(top, 'package-lock.json'));
  const installed = readPackages(path.join(top, 'node_modules', '.package-lock.json'));
  if (wanted === undefined) return 'there is no readable package-lock.json';
  if (installed === undefined) return 'there are none yet';
  for (const [place, entry] of Object.entries(wanted)) {
    if (!place.startsWith('node_modules/') || entry.link) continue;
    const found = installed[place];
    if (found === undefined ? !entry.optional : !isSame(entry, found)) return 'package-lock.json has changed';
  }
  if (!isSupportedNode(process.version) && bringsNode(wanted) && !existsSync(localNode(top))) return 'Node is missing';
  return undefined;
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

const isSame = (a, b) => a.version === b.version && a.integrity === b.integrity;
const bringsNode = (packages) => `node_modules/node-${process.platform}-${process.arch}` in packages;
const localNode = (top) => path.join(top, 'node_modules', '.bin', 'node');

/** Installs packages when that is needed. @returns whether they are there now */
export async function ensurePackages(top, { run }) {
  const why = whyInstall(top);
  if (why === undefined) return true;
  console.log(`Installing packages (${why}): npm ci, some seconds.`);
  const [command, args] = npm();
  // NODE_ENV=production and the like must not leave out what development needs. Errors only: npm warns of the Node that runs
  // it, which is older than what all else needs and gets here.
  const options = ['--include=dev', '--include=optional', '--no-progress', '--loglevel=error'];
  const { code } = await run(command, [...args, 'ci', ...options]);
  if (code === 0) return true;
  console.error(`Packages could not be installed: npm ci ended with ${code}, its own words are above.`);
  return false;
}

/** The npm that started us, else the one on PATH. */
function npm() {
  const started = process.env.npm_execpath ?? '';
  return path.basename(started).startsWith('npm') && existsSync(started) ? [process.execPath, [started]] : ['npm', []];
}

/** The path of a Node that the project supports, or nothing: then what to do has been said. */
export function supportedNode(top) {
  if (isSupportedNode(process.version)) return process.execPath;
  const candidate = localNode(top);
  const { status, stdout } = spawnSync(candidate, ['--version'], { encoding: 'utf8' });
  if (status === 0 && isSupportedNode(stdout.trim())) return candidate;
  console.error(
    `Node ${OLDEST_NODE} or later is needed, this is ${process.version.slice(1)}, and npm has none for ` +
      `${process.platform}-${process.arch} in node_modules/.bin: install Node 24 and run this again.`,
  );
  return undefined;
}
