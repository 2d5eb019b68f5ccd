/** Runs a program of ours with some Node, and waits until it ends. */

import { type ChildProcess, spawn } from 'node:child_process';
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
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
}

/** A process that it started, and that has left its group, may keep its streams open; that is not waited for. */
const LAST_WORDS_MS = 1_000;

/** It gets none of the flags in the environment. What it has started ends with it. @throws what `signal` was aborted with */
export async function runNode(run: NodeRun): Promise<Ended> {
  const { program, args, limitMs, onOutput, signal } = run;
  signal?.throwIfAborted();
  const { NODE_OPTIONS: _, ...env } = run.env;
  // the first of a group of its own, so that the group can be ended
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const end = (): void => endGroup(child);
  signal?.addEventListener('abort', end);
  let isLate = false;
  const onLate = (): void => {
    isLate = true;
    end();
  };
  const limit = limitMs === undefined ? undefined : setTimeout(onLate, limitMs);
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
  clearTimeout(limit);
  end();
  signal?.removeEventListener('abort', end);
  const patience = new AbortController();
  await Promise.race([closed, sleep(LAST_WORDS_MS, undefined, { signal: patience.signal }).catch(() => {})]);
  patience.abort();
  child.stdout.destroy();
  child.stderr.destroy();
  signal?.throwIfAborted();
  return { isLate, trouble, ...texts };
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return; // could not be started
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // nothing is left of it
  }
}
