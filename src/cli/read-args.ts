/** Reads the words behind a command, and says in ours what is wrong with them. */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { didYouMean } from '../model/resolve-options.ts';
import { UsageError } from './print.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** @throws UsageError */
export function readArgs<const Table extends Options>(
  args: readonly string[],
  options: Table,
): ReturnType<typeof parseArgs<{ options: Table; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const { message } = error as Error;
    const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1]; // Node goes on about positional arguments
    if (unknown === undefined) throw new UsageError(message);
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(`There is no option ${unknown}.${didYouMean(unknown, known)}`);
  }
}
