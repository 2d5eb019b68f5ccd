/**
 * A file of Python's package index, unpacked: some of what tests use lies nowhere else. Version and content are pinned,
 * and nothing is installed.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const MINUTE_MS = 60_000;

/**
 * @param name the package's
 * @param version of the package
 * @param hashes SHA-256 of the files that will do
 * @param kind `wheel`, or `sdist` for its sources
 * @param use called with the folder of its files, which is gone afterwards
 * @throws Error in one sentence
 */
export function withPipPackage({ name, version, hashes, kind }, use) {
  const work = mkdtempSync(path.join(tmpdir(), 'memphis-serverless-pip-'));
  try {
    const pinned = hashes.map((hash) => `--hash=sha256:${hash}`).join(' ');
    writeFileSync(path.join(work, 'wanted.txt'), `${name}==${version} ${pinned}\n`);
    const form = kind === 'wheel' ? ['--only-binary', ':all:'] : ['--no-binary', name];
    const wanted = ['--no-deps', ...form, '--require-hashes', '-r', 'wanted.txt', '-d', 'file'];
    run(work, ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', ...wanted]);
    const format = kind === 'wheel' ? 'zip' : 'gztar';
    run(work, ['-c', `import glob, shutil; shutil.unpack_archive(glob.glob('file/*')[0], 'files', '${format}')`]);
    use(path.join(work, 'files'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function run(cwd, args) {
  const { status, stderr, error } = spawnSync('python3', args, { cwd, encoding: 'utf8', timeout: 3 * MINUTE_MS });
  if (error !== undefined) throw new Error(error.code === 'ENOENT' ? 'there is no python3' : error.message);
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1) || `python3 ended with ${status}`);
}
