/** Runs a function once in a process of its own. */

import { spawn } from 'node:child_process';

export interface ColdSample {
  /** From the start of the process to its end, as its parent sees it. */
  readonly wallMs: number;
  readonly importMs: number;
  /** From the import to the first batch in the handler's hands. */
  readonly firstMs: number;
  /** From the import to the end of the invocation. */
  readonly jobMs: number;
  readonly cpuMs: number;
  readonly rssMb: number;
}

export interface ColdRun {
  /** Arguments for Node. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** How many messages its answer must tell of; anything else would be no measurement. */
  readonly expected?: number | undefined;
  /** Put in front of Node: a command that starts what follows it. */
  readonly wrapper?: readonly string[];
}

/** The process gets no environment but the one given. @throws Error when it fails, with what it said */
export async function runCold({ args, env = {}, expected, wrapper = [] }: ColdRun): Promise<ColdSample> {
  const [command = process.execPath, ...rest] = [...wrapper, process.execPath, ...args];
  const start = performance.now();
  const child = spawn(command, rest, { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  let wallMs = 0;
  child.once('exit', () => {
    wallMs = performance.now() - start;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`A measured process ended with ${code}: ${errors.trim()}`);
  const zero = { importMs: 0, firstMs: 0, jobMs: 0, cpuMs: 0, rssMb: 0 };
  const { answer, ...sample } = output === '' ? { answer: undefined } : JSON.parse(output);
  const handled: unknown = typeof answer === 'object' ? answer?.acked : answer;
  if (expected !== undefined && handled !== expected) {
    throw new Error(
      `A measured process handled ${handled} messages in place of ${expected}: ${JSON.stringify(answer)}`,
    );
  }
  return { ...zero, ...sample, wallMs };
}
