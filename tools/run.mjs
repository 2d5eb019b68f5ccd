/**
 * Entry of every npm script: `node tools/run.mjs <command> [arguments]`. Says what it does, installs what is missing,
 * goes on under a Node that the project supports, and runs the command's steps up to the first that fails.
 */

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeRunner } from './processes.mjs';
import { ensurePackages, supportedNode } from './setup.mjs';

const top = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** First argument of our second self, which runs on the right Node in a checkout that is ready. */
const READY = '--ready';

async function main(argv) {
  const isReady = argv[0] === READY;
  const [name, ...args] = isReady ? argv.slice(1) : argv;
  const { commands } = await import('./commands.mjs');
  const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined;
  if (command === undefined) {
    console.error(`There is no command ${name ?? ''}. Commands: ${Object.keys(commands).join(', ')}.`);
    return 2;
  }
  process.chdir(top);
  const runner = makeRunner();
  runner.watchSignals();
  const code = isReady ? await runSteps(command, args, runner) : await prepare(name, command, args, runner);
  return runner.signalCode() ?? code;
}

async function prepare(name, command, args, runner) {
  console.log(`memphis-serverless ${name}: installs what is missing, then ${command.says}.`);
  if (!(await ensurePackages(top, runner))) return 1;
  const node = supportedNode(top);
  if (node === undefined) return 1;
  if (node === process.execPath) return runSteps(command, args, runner);
  const self = fileURLToPath(import.meta.url);
  const { code } = await runner.run(node, [self, READY, name, ...args]);
  return code;
}

async function runSteps({ steps }, args, runner) {
  const job = makeJob(args, runner);
  for (const step of steps) {
    const isLast = step === steps.at(-1);
    const start = Date.now();
    console.log(`\n== ${step.name}`);
    const code = await step.run(job).catch((error) => {
      console.error(error.message);
      return 1;
    });
    if (runner.signalCode() !== undefined) return code;
    const seconds = `${((Date.now() - start) / 1000).toFixed(1)} s`;
    if (code !== 0) {
      if (!isLast) console.error(`== ${step.name}: failed after ${seconds}; the steps behind it were not run.`);
      return code;
    }
    if (!isLast) console.log(`== done in ${seconds}`); // nothing comes behind the last step's own closing lines
  }
  return 0;
}

/** What steps work with. Programs by the name of `node` are the Node that runs this. */
function makeJob(args, { run }) {
  const bin = path.join(top, 'node_modules', '.bin');
  const env = {
    ...process.env,
    PATH: [path.dirname(process.execPath), bin, process.env.PATH].join(path.delimiter),
  };
  delete env.NODE_TEST_CONTEXT; // set inside Node's test runner, it keeps another one from working
  return {
    top,
    args,
    env,
    tool: async (name, options) => (await run(path.join(bin, name), options, { env })).code,
    node: async (options) => (await run(process.execPath, options, { env })).code,
    capture: (options) => run(process.execPath, options, { env, capture: true }),
  };
}

process.exitCode = await main(process.argv.slice(2));
