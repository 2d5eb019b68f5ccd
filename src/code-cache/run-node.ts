/** Runs a program of ours with some Node, and waits until it ends. */

import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '../model/errors.ts';

export interface Ended {
  /** Took too long, and was killed. */
  readonly isLate: boolean;
  /** The exit code, the signal, or why it could not be started; nothing when all went well. */
  readonly trouble: string | undefined;
  /** What it wrote, where nobody else got that. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface NodeRun {
  /** The path of a Node. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Left out: as long as it takes. */
  readonly limitMs?: number | undefined;
  /** Gets what it writes to either stream, as it comes. */
  readonly onOutput?: ((text: string) => void) | undefined;
}

/** A process that it started may keep its streams open; that is not waited for. */
const LAST_WORDS_MS = 1_000;

/** It gets none of the flags in the environment. Never rejects. */
export async function runNode({ program, args, env: given, limitMs, onOutput }: NodeRun): Promise<Ended> {
  const { NODE_OPTIONS: _, ...env } = given;
  const limit = limitMs === undefined ? {} : ({ timeout: limitMs, killSignal: 'SIGKILL' } as const);
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], ...limit });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    const keep = (text: string): void => {
      texts[name] += text;
    };
    child[name].setEncoding('utf8').on('data', onOutput ?? keep);
  }
  const closed = new Promise((resolve) => child.once('close', resolve));
  const trouble = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(describeError(error)));
    child.once('exit', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  const patience = new AbortController();
  await Promise.race([closed, sleep(LAST_WORDS_MS, undefined, { signal: patience.signal }).catch(() => {})]);
  patience.abort();
  child.stdout.destroy();
  child.stderr.destroy();
  return { isLate: child.killed, trouble, ...texts };
}
