/** Says why a Node made no cache, and what to do. */

import { MemphisError } from '../model/errors.ts';
import { hideEnvironment } from './hide-environment.ts';
import type { ForNode, Report, Run } from './program.ts';
import type { Ended } from './run-node.ts';

const LINES = 8;

/** The last words of a process that failed. */
export function wordsOf(trouble: string, stderr: string): string {
  return stderr.trim() === '' ? trouble : stderr.trim().split('\n').slice(-LINES).join('\n');
}

interface Failed {
  readonly program: string;
  readonly bundle: string;
  readonly run: Run | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly ended: Ended;
  /** The last one; nothing when there is none. */
  readonly report: Exclude<Report, ForNode> | undefined;
}

/** `INVALID_OPTION` of the bundle or the handler's name, `FUNCTION_FAILED` when it ran and failed, else `PROGRAM_FAILED`. */
export function whyNone({ program, bundle, run, env, ended, report }: Failed): MemphisError {
  const { isLate, trouble = 'exit code 0', stderr } = ended;
  const failed = report !== undefined && 'failed' in report ? report : undefined;
  if (failed?.failed === 'compile') {
    const text = `The bundle ${bundle} is no CommonJS that compiles (${failed.error}): bundle it with --format=cjs.`;
    return new MemphisError('INVALID_OPTION', text, { option: 'file' });
  }
  if (run === undefined || (report === undefined && !isLate)) {
    const text = `${program} makes no code cache of ${bundle}: ${wordsOf(trouble, stderr)}`;
    return new MemphisError('PROGRAM_FAILED', text);
  }
  const { handler, timeoutMs } = run;
  if (failed?.failed === 'find') {
    const [first, ...more] = failed.functions;
    const known = first === undefined ? 'no function' : [first, ...more].join(', ');
    const text = `${bundle} exports no function ${handler} (--handler), but ${known}.`;
    return new MemphisError('INVALID_OPTION', text, { option: 'handler' });
  }
  const what = isLate
    ? `it had not ended after ${timeoutMs} ms. Give it more time (--timeout-ms), or an event that it ends with.`
    : failed === undefined
      ? `its process ended (${trouble}) before it had answered. A handler must return, and neither exit nor wait for what never comes.`
      : `${failed.failed === 'load' ? 'it threw while it was loaded' : 'it failed'}: ${hideEnvironment(shorten(failed.error), env)}`;
  const text = `The function ${handler} of ${bundle} was run for its code cache by ${program}, and ${what}\nNothing was written. Without --run it is not run, and all of its functions are compiled.`;
  return new MemphisError('FUNCTION_FAILED', text);
}

/** Without the calls of the program that runs it. */
function shorten(stack: string): string {
  const lines = stack.split('\n');
  const own = lines.findIndex((line) => line.includes('memphis-serverless-code-cache-'));
  return lines.slice(0, own === -1 ? LINES : Math.min(own, LINES)).join('\n');
}
