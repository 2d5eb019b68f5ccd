/** Code caches for bundles, as `memphis-serverless code-cache` makes them. */

import { makeCodeCache } from '../../src/code-cache/make.ts';

/** `all` functions of the bundle, or those that a first invocation runs. */
export type CodeCacheKind = 'all' | 'run';

/**
 * @param env of the function that runs: for `run` it does what it does, once
 * @param event what it is invoked with, as JSON
 */
export async function addCodeCache(
  file: string,
  kind: CodeCacheKind,
  env: Record<string, string>,
  event = '{}',
): Promise<void> {
  const run = { events: [event], handler: 'handler', timeoutMs: 30_000 };
  await makeCodeCache(file, kind === 'all' ? {} : { run, env });
}
