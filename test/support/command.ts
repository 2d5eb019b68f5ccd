/** Runs the command `memphis-serverless` in this process. */

import { main } from '../../src/cli/main.ts';

/** @returns the exit code, and what went to stdout and stderr */
export async function run(...args: readonly string[]): Promise<{ code: number; data: string; talk: string }> {
  const said = { data: '', talk: '' };
  const code = await main(args, {
    data: (text) => {
      said.data += text;
    },
    talk: (text) => {
      said.talk += text;
    },
  });
  return { code, ...said };
}
