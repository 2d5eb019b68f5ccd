/** How a function is bundled for Lambda: what esbuild is told wherever that is measured or tried. */

import path from 'node:path';
import type { BuildOptions } from 'esbuild';
import { plainMembers } from '../../tools/plain-members.mjs';

export const functionBundle = {
  ...plainMembers(), // as the package that users install has them
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  conditions: ['@memphis-serverless/source'],
  absWorkingDir: path.join(import.meta.dirname, '../..'),
  logLevel: 'error',
} as const satisfies BuildOptions;
