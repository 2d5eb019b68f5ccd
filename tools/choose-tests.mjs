/** Chooses test files. */

import { readdir } from 'node:fs/promises';
import path from 'node:path';

const WHOLE_SYSTEMS = ['test/integration/', 'test/demo/'];

/**
 * The test files of a part (`all`, `unit`, `integration`), narrowed by the arguments of the command: a path or a piece
 * of one chooses files, what begins with `-` goes to Node.
 *
 * @returns files relative to the repository's top, in order of their names, and flags
 */
export async function chooseTests(top, which, args) {
  const flags = args.filter((arg) => arg.startsWith('-'));
  const pieces = args.filter((arg) => !arg.startsWith('-')).map((arg) => arg.replace(/^\.\//, ''));
  const found = await readdir(path.join(top, 'test'), { recursive: true });
  const files = found
    .map((name) => `test/${name.split(path.sep).join('/')}`)
    .filter((file) => file.endsWith('.test.ts') && isPartOf(file, which))
    .filter((file) => pieces.length === 0 || pieces.some((piece) => file.includes(piece)))
    .sort();
  return { files, flags };
}

function isPartOf(file, which) {
  const whole = WHOLE_SYSTEMS.some((folder) => file.startsWith(folder));
  return which === 'all' || whole === (which === 'integration');
}
