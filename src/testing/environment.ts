/**
 * One execution environment: a process that runs AWS's runtime client and a handler, under an emulated Runtime API. It
 * works off one event at a time, and is of no use any more once its process has ended.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Invocation, type RuntimeApi, startRuntimeApi } from './runtime-api.ts';
import { suspend } from './suspend.ts';

/** How to start one. */
export interface EnvironmentLaunch {
  readonly node: string;
  /** Flags of Node, and the module to run. */
  readonly args: readonly string[];
  readonly folder: string;
  /** All of the process's environment, but for the address of the Runtime API. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether the process is stopped while it waits for an event. */
  readonly freeze: boolean;
  /** Gets the process id as soon as there is one. */
  readonly onSpawn: (pid: number) => void;
  /** Called when the process has ended: its id may be another's from now on. */
  readonly onEnd: () => void;
  readonly onOutput: (text: string) => void;
}

/** How a wait for the runtime's next word ended. */
type Turn = 'asked' | 'ended' | 'late';

export class Environment {
  readonly #child: ChildProcess;
  readonly #freeze: boolean;
  #api: RuntimeApi | undefined;
  #ended = '';
  /** The runtime asks for an event. */
  #asked = Promise.withResolvers<void>();
  #answer: Answer | undefined;
  #initError: Answer | undefined;
  readonly #gone: Promise<void>;

  private constructor(child: ChildProcess, { freeze, onEnd, onOutput }: EnvironmentLaunch) {
    this.#child = child;
    this.#freeze = freeze;
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    this.#gone = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#ended ||= error.message;
        resolve();
      });
      child.once('exit', (code, signal) => {
        this.#signal('SIGKILL'); // what it started ends with it
        this.#ended = describeExit(code, signal);
        onEnd();
        // its last words may still be under way
        void Promise.race([closed, sleep(1_000, undefined, { ref: false })]).then(() => resolve());
      });
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', onOutput);
      (stream as unknown as { unref?(): void } | null)?.unref?.();
    }
    child.unref();
    const killNow = () => this.#signal('SIGKILL');
    process.once('exit', killNow);
    void this.#gone.then(() => {
      process.off('exit', killNow);
      this.#api?.close();
    });
  }

  /** Starts the process. {@link init} tells whether it came up. */
  static async launch(launch: EnvironmentLaunch): Promise<Environment> {
    const { node, args, folder, env, onSpawn } = launch;
    let environment: Environment;
    const api = await startRuntimeApi({
      onNext: () => environment.#onNext(),
      onAnswer: (answer) => environment.#onAnswer(answer),
      onInitError: (body) => environment.#onInitError({ body, isError: true }),
    });
    // A process group of its own, so that all that a handler starts is frozen and killed with it.
    const child = spawn(node, args, {
      cwd: folder,
      env: { ...env, AWS_LAMBDA_RUNTIME_API: api.address },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    environment = new Environment(child, launch);
    environment.#api = api;
    if (child.pid !== undefined) onSpawn(child.pid);
    return environment;
  }

  /** Nothing once it has ended. */
  get pid(): number | undefined {
    return this.#ended === '' ? this.#child.pid : undefined;
  }

  /** Why it has ended, in Lambda's words; '' while it has not. */
  get ended(): string {
    return this.#ended;
  }

  /** Waits until the function is loaded. @returns what came instead, when it was not */
  async init(limitMs: number): Promise<Answer | undefined> {
    const turn = await this.#turn(limitMs);
    if (turn === 'asked') return undefined;
    await this.end();
    if (this.#initError !== undefined) return this.#initError;
    return turn === 'late' ? timedOut('', limitMs) : exited('', this.#ended);
  }

  /** Has one event worked off. Afterwards the runtime asks for the next one, or the environment has ended. */
  async run(invocation: Invocation, limitMs: number): Promise<Answer> {
    this.#asked = Promise.withResolvers();
    this.#answer = undefined;
    this.thaw();
    this.#api?.hand(invocation);
    const turn = await this.#turn(limitMs);
    if (turn === 'late') {
      await this.end();
      return timedOut(invocation.requestId, limitMs);
    }
    return this.#answer ?? exited(invocation.requestId, this.#ended);
  }

  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  /** SIGKILL. Resolves when it is gone. */
  end(): Promise<void> {
    this.#signal('SIGKILL');
    return this.#keptAlive(this.#gone);
  }

  /** SIGTERM to the runtime, as when an extension is registered; SIGKILL when it has not ended by then. */
  async shutdown(graceMs: number): Promise<void> {
    this.thaw();
    this.#child.kill('SIGTERM');
    await Promise.race([this.#gone, sleep(graceMs)]);
    await this.end();
  }

  #onNext(): void {
    if (this.#freeze) this.freeze();
    this.#asked.resolve();
  }

  #onAnswer(answer: Answer): void {
    this.#answer ??= answer;
  }

  #onInitError(error: Answer): void {
    this.#initError = error;
  }

  async #turn(limitMs: number): Promise<Turn> {
    const patience = new AbortController();
    const late = sleep(limitMs, 'late' as const, { signal: patience.signal }).catch(() => 'late' as const);
    const asked = this.#asked.promise.then(() => 'asked' as const);
    const turn = await Promise.race([this.#gone.then(() => 'ended' as const), asked, late]);
    patience.abort();
    await quiet();
    return turn;
  }

  /** To the whole group; one that is gone gets nothing. */
  #signal(name: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#ended !== '') return; // its id may be another's by now
    try {
      if (name === 'SIGSTOP') suspend(-pid);
      else process.kill(-pid, name);
    } catch {
      // gone already
    }
  }

  /** Somebody waits for the end of the process, which keeps ours alive for so long. */
  async #keptAlive(work: Promise<void>): Promise<void> {
    this.#child.ref();
    await work;
  }
}

/** What it wrote before its last word to us is read by then: all that is ready is read in one turn. */
async function quiet(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `Runtime exited with error: signal: ${signal === 'SIGKILL' ? 'killed' : signal}`;
  return code === 0 ? 'Runtime exited without providing a reason' : `Runtime exited with error: exit status ${code}`;
}

const failure = (errorType: string, errorMessage: string): Answer => ({
  body: JSON.stringify({ errorType, errorMessage }),
  isError: true,
});

const ofRequest = (requestId: string): string => (requestId === '' ? '' : `RequestId: ${requestId} `);

function timedOut(requestId: string, limitMs: number): Answer {
  const seconds = (limitMs / 1000).toFixed(2);
  return failure('Sandbox.Timedout', `${ofRequest(requestId)}Error: Task timed out after ${seconds} seconds`);
}

function exited(requestId: string, why: string): Answer {
  return failure('Runtime.ExitError', `${ofRequest(requestId)}Error: ${why}`);
}
