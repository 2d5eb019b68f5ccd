/**
 * Makes plain properties out of private members of classes in what is built: V8 makes a symbol for each `#name` while a bundle loads, and
 * reads a class whole once more to fill in its fields, which a constructor does as well (docs/decisions/024). Not in
 * classes that users hold: theirs stay closed, to `JSON.stringify` and `console.log` too.
 */

import { readFile } from 'node:fs/promises';

const INSIDE = /\/src\/((batch|brokers|connection|lambda)\/|client\/session\.ts$)/;
const HELD_BY_USERS = /\/src\/(batch\/message|batch\/run-timers|lambda\/under-way)\.ts$/;
const MEMBER = /(?<=[\s.!])(?<!@link )#(?=[a-z]\w*\b)/g;

/**
 * What esbuild is told, beside all else. Names get a number for each file, since a class and the one that it extends may both
 * have a member of one name, and become short ones.
 */
export function plainMembers() {
  const numbers = new Map();
  return {
    mangleProps: /^\$\d+_/,
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false, verbatimModuleSyntax: true } },
    plugins: [
      {
        name: 'plain-members',
        setup({ onLoad }) {
          onLoad({ filter: INSIDE }, async ({ path }) => {
            if (HELD_BY_USERS.test(path)) return undefined;
            if (!numbers.has(path)) numbers.set(path, numbers.size);
            const source = await readFile(path, 'utf8');
            return { contents: source.replaceAll(MEMBER, `$$${numbers.get(path)}_`), loader: 'ts' };
          });
        },
      },
    ],
  };
}
