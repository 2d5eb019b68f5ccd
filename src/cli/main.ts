/** `memphis-serverless`, the command: finds out what is wanted, and turns its end into an exit code. */

import { describeError, isMemphisError } from '../model/errors.ts';
import { codeCache } from './code-cache.ts';
import { Interrupted } from './interrupt.ts';
import { type Output, UsageError } from './print.ts';
import { schemaCompile } from './schema-compile.ts';

const help = `Usage: memphis-serverless <command> [options]

Commands:
  code-cache        compiles a function's bundle beforehand, so that a cold start compiles nothing
  schema compile    writes code that reads a schema without compiling it at each start

memphis-serverless <command> --help tells more.

Exit codes: 0 done; 1 failed, the reason is on stderr; 2 called wrongly; 130 interrupted.
`;

const isHelp = (word: string | undefined): boolean => word === '--help' || word === '-h' || word === 'help';

/** @returns the exit code */
export async function main(args: readonly string[], output: Output): Promise<number> {
  const [first, second, ...rest] = args;
  const isCompile = first === 'schema' && second === 'compile';
  try {
    if (first === undefined || isHelp(first) || (first === 'schema' && isHelp(second))) {
      output.data(help);
      return first === undefined ? 2 : 0;
    }
    if (first === 'code-cache') {
      await codeCache(args.slice(1), output);
      return 0;
    }
    if (isCompile) {
      await schemaCompile(rest, output);
      return 0;
    }
    throw new UsageError(`There is no command ${[first, second].filter((part) => part !== undefined).join(' ')}.`);
  } catch (error) {
    if (error instanceof UsageError) {
      output.talk(
        `${error.message}\nmemphis-serverless ${isCompile ? 'schema compile ' : ''}--help tells what there is.\n`,
      );
      return 2;
    }
    if (error instanceof Interrupted) {
      output.talk(`${error.message}\n`);
      return 130;
    }
    output.talk(isMemphisError(error) ? `${error.code}: ${error.message}\n` : `${describeError(error)}\n`);
    return 1;
  }
}
