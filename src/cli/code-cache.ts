/** `code-cache`: V8's code cache for a function's bundle. */

import { makeCodeCache } from '../code-cache/make.ts';
import { readRun } from './code-cache-run.ts';
import { untilInterrupted } from './interrupt.ts';
import { type Output, UsageError } from './print.ts';
import { readArgs } from './read-args.ts';

const help = `Usage:
  memphis-serverless code-cache <bundle> [--node <program>]... [--run <event>]... [--handler <name>] [--timeout-ms <n>]

Compiles all functions of a CommonJS bundle beforehand, so that a cold start of it need not. In the bundle's place comes a small
loader with the same exports, so the handler's setting stays as it is; ship what is written beside it as well.

A cache is for one version of Node and one kind of processor. Any other Node runs the bundle as before, and says so by a warning
(MEMPHIS_CODE_CACHE). Make it with the Node that will run it: in a container image this is the image's own; Lambda's managed
runtimes log their version, and are updated now and then. Given the loader again, it adds a cache for another Node.

By default the bundle is not run. With --run it IS run, for each --node and with all that it does, in the environment of this command
(but for NODE_OPTIONS): let it find a broker of your own machine there. The cache then holds what ran; whatever did not is
compiled when it is called, as ever. It is half as large, and faster still. What the function writes goes to stderr.

  --node <program>         a Node that makes the cache for its version; may be given many times; left out: the one that runs this
  --run <event>            runs the function, see above: a file with the event as JSON, or - for standard input; given many times,
                           each is one invocation, in the same process: twice the same makes the second invocation faster, too
  --handler <name>         of the bundle's exports: what --run invokes; handler unless stated
  --timeout-ms <n>         what --run has for loading the bundle and all invocations; 30000 unless stated
  --json                   tells what was written as JSON
  --help                   this text

Exit codes: 0 written; 1 failed, the reason is on stderr and all is as it was; 2 called wrongly; 130 interrupted, all is as it was.
`;

const options = {
  node: { type: 'string', multiple: true },
  run: { type: 'string', multiple: true },
  handler: { type: 'string' },
  'timeout-ms': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const count = (invocations: number): string => (invocations === 1 ? '1 invocation' : `${invocations} invocations`);
const kb = (bytes: number): string => `${(bytes / 1000).toFixed(1)} KB`;

/** @throws UsageError; Interrupted; MemphisError `INVALID_OPTION`, `PROGRAM_FAILED`, `FUNCTION_FAILED` */
export async function codeCache(args: readonly string[], output: Output): Promise<void> {
  const { values, positionals } = readArgs(args, options);
  if (values.help === true) return output.data(help);
  const [file, ...more] = positionals;
  if (file === undefined) throw new UsageError('code-cache: which bundle?');
  if (more.length > 0) throw new UsageError(`One bundle at a time: what is ${more[0]}?`);
  const run = await readRun(values);
  if (run !== undefined) output.talk(`Running ${run.handler} of ${file}, ${count(run.events.length)}; it writes:\n`);
  const settings = { nodes: values.node, run, onOutput: output.talk };
  const made = await untilInterrupted('Interrupted: nothing was written.', (signal) =>
    makeCodeCache(file, { ...settings, signal }),
  );
  if (values.json === true) return output.data(`${JSON.stringify(made)}\n`);
  const caches = made.caches.map(
    ({ cache, cacheBytes, functions, node, arch }) =>
      `  ${cache} (${functions === 'all' ? 'all functions' : 'what ran'}, ${kb(cacheBytes)}, Node ${node}, ${arch})\n`,
  );
  output.talk(`${made.file} loads, from beside it:\n  ${made.code} (${kb(made.codeBytes)})\n${caches.join('')}`);
}
