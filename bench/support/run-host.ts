/** Runs a host in a process of its own and reads the JSON that it prints. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const LARGEST_OUTPUT_BYTES = 16_000_000;

/** The process gets no environment but the one given. @throws Error when it fails, with what it said */
export async function runHost<T>(args: readonly string[], env: Readonly<Record<string, string>>): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...env },
    maxBuffer: LARGEST_OUTPUT_BYTES,
  });
  return JSON.parse(stdout) as T;
}
