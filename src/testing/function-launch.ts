/** From the options of a function to the process that runs it. */

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { MemphisError } from '../model/errors.ts';
import type { Resolved } from '../model/option-spec.ts';
import type { EnvironmentLaunch } from './environment.ts';
import { findRuntimeClient, findTypeScript } from './function-files.ts';
import type { startFunctionOptions } from './function-options.ts';
import { runtimeClientModule } from './runtime-client.ts';

export type Settings = Resolved<typeof startFunctionOptions>;
/** What the environments of one function have in common. */
export type Launch = Omit<EnvironmentLaunch, 'onSpawn' | 'onEnd' | 'onOutput'>;

/** @throws MemphisError `INVALID_OPTION`, `DEPENDENCY_MISSING`, `PROGRAM_FAILED` */
export function toLaunch(settings: Settings): Launch {
  const { handler, functionName, memoryMb, freeze, execArgv } = settings;
  if (handler === undefined) {
    throw new MemphisError('INVALID_OPTION', 'startFunction: handler must be given, for example orders.handler.', {
      option: 'handler',
    });
  }
  const folder = resolve(settings.taskRoot ?? '.');
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new MemphisError('INVALID_OPTION', `startFunction: taskRoot must be a folder, and ${folder} is none.`, {
      option: 'taskRoot',
    });
  }
  const client = findRuntimeClient(folder);
  const node = settings.node ?? process.execPath;
  const region = 'eu-central-1';
  return {
    node,
    args: [
      // AWS's Node runtimes switch require() of ES modules and syntax detection off
      '--no-experimental-require-module',
      '--no-experimental-detect-module',
      ...conditionsOf(process.execArgv),
      ...execArgv,
      '--import',
      runtimeClientModule(findTypeScript(folder, handler)),
      client,
    ],
    folder,
    freeze,
    env: {
      PATH: process.env.PATH ?? '',
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${majorOf(node)}.x`,
      AWS_LAMBDA_FUNCTION_NAME: functionName,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${functionName}`,
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/01/01/[$LATEST]00000000000000000000000000000000',
      LAMBDA_TASK_ROOT: folder,
      _HANDLER: handler,
      ...settings.env,
    },
  };
}

/** What a test resolves to sources, its functions resolve to sources too. */
function conditionsOf(flags: readonly string[]): string[] {
  return flags.flatMap((flag, index) => {
    if (flag.startsWith('--conditions=')) return [flag];
    return flag === '--conditions' || flag === '-C' ? [`--conditions=${flags[index + 1]}`] : [];
  });
}

/** @throws MemphisError `PROGRAM_FAILED` */
function majorOf(node: string): string {
  if (node === process.execPath) return process.versions.node.split('.')[0] ?? '';
  const program = node.includes('/') && !isAbsolute(node) ? resolve(node) : node;
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  const major = status === 0 ? /^v(\d+)\./.exec(stdout)?.[1] : undefined;
  if (major !== undefined) return major;
  throw new MemphisError(
    'PROGRAM_FAILED',
    `startFunction: ${node} does not run as a Node; name one in the option node.`,
  );
}
