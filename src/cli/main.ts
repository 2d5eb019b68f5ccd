/** `memphis-serverless`, the command: finds out what is wanted, and turns its end into an exit code. */

import { checkNode } from '../client/check-node.ts';
import { describeError, isMemphisError } from '../model/errors.ts';
import { didYouMean } from '../model/resolve-options.ts';
import { codeCache } from './code-cache.ts';
import { Interrupted } from './interrupt.ts';
import { type Output, UsageError } from './print.ts';
import { schemaCompile } from './schema-compile.ts';

const help = `Usage: memphis-serverless <command> [options]

Commands:
  code-cache        compiles a function's bundle beforehand, so that a cold start compiles nothing
  schema compile    writes code that reads a schema without compiling it at each start

memphis-serverless <command> --help tells more, memphis-serverless --version which one this is.

Exit codes: 0 done; 1 failed, the reason is on stderr; 2 called wrongly; 130 interrupted.
`;

/** That of package.json, which a test holds it to: what is CommonJS cannot ask where it lies as an ES module does. */
const VERSION = '0.1.0';

const commands = { 'code-cache': codeCache, 'schema compile': schemaCompile } as const;
type Command = keyof typeof commands;

const isHelp = (word: string | undefined): boolean => word === '--help' || word === '-h' || word === 'help';

/** The command that these words begin with. */
function commandOf([first, second]: readonly string[]): Command | undefined {
  if (first === 'code-cache') return first;
  return first === 'schema' && second === 'compile' ? 'schema compile' : undefined;
}

function noSuchCommand(words: readonly string[]): UsageError {
  const given = words.slice(0, words[0] === 'schema' ? 2 : 1).join(' ');
  const begun = Object.keys(commands).find((name) => name.startsWith(`${given} `));
  const hint = begun === undefined ? didYouMean(given, Object.keys(commands)) : ` Did you mean ${begun}?`;
  return new UsageError(`There is no command ${given}.${hint}`);
}

/** @returns the exit code */
export async function main(args: readonly string[], output: Output): Promise<number> {
  const [first, second] = args;
  const command = commandOf(args);
  try {
    if (first === undefined || isHelp(first) || (first === 'schema' && isHelp(second))) {
      output.data(help);
      return first === undefined ? 2 : 0;
    }
    if (first === '--version' || first === '-v') {
      output.data(`${VERSION}\n`);
      return 0;
    }
    if (command === undefined) throw noSuchCommand(args);
    checkNode();
    await commands[command](args.slice(command.split(' ').length), output);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      const name = command === undefined ? '' : `${command} `;
      output.talk(`${error.message}\nmemphis-serverless ${name}--help tells what there is.\n`);
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
