/** What the commands of this repository have in common: options, help, progress, an end by signals, exit codes. */

import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { makeProgress, type Progress } from './progress.ts';

export const exitCodes = { fine: 0, failed: 1, wrongUsage: 2, interrupted: 130 } as const;

/** A mistake on the command line; its message is for the user. */
export class UsageError extends Error {}

/** @throws UsageError for unknown options, missing values, and words that are no options */
export function readArgs<T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowNegative: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws UsageError */
export function readBroker(broker: string): 'jetstream' | 'memphis' {
  if (broker === 'jetstream' || broker === 'memphis') return broker;
  throw new UsageError('--broker must be jetstream or memphis.');
}

/** While a command works. */
export interface Running {
  /** On stderr where stdout is for JSON. */
  readonly progress: Progress;
  /** Aborted by SIGINT, SIGTERM and SIGHUP; a second one ends the process. */
  readonly signal: AbortSignal;
}

export interface Command<Options> {
  /** What failed, should it fail: `The demo`. */
  readonly name: string;
  readonly usage: string;
  /** @throws UsageError */
  readonly parse: (args: readonly string[]) => Options;
  /** @returns the exit code */
  readonly work: (options: Options, running: Running) => Promise<number>;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @returns the exit code */
export async function runCommand<Options extends { readonly help: boolean; readonly json: boolean }>(
  command: Command<Options>,
): Promise<number> {
  const options = parse(command);
  if (options === undefined) return exitCodes.wrongUsage;
  if (options.help) {
    process.stdout.write(`${command.usage}\n`);
    return exitCodes.fine;
  }
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort(new Error('interrupted'));
  for (const signal of SIGNALS) process.once(signal, stop);
  const progress = makeProgress(options.json ? process.stderr : process.stdout);
  try {
    return await command.work(options, { progress, signal: interrupt.signal });
  } catch (error) {
    progress.end();
    if (interrupt.signal.aborted) {
      process.stderr.write('Interrupted; everything that was started is stopped.\n');
      return exitCodes.interrupted;
    }
    process.stderr.write(
      `${command.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`,
    );
    return exitCodes.failed;
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, stop);
  }
}

/** @returns nothing where the options are wrong, which was said then */
function parse<Options>({ parse: read, usage }: Command<Options>): Options | undefined {
  try {
    return read(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}\n`);
    return undefined;
  }
}
