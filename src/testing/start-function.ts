/** A Lambda function on this machine: a handler in AWS's own runtime client, frozen between invocations as in Lambda. */

import { randomUUID } from 'node:crypto';
import { MemphisError } from '../model/errors.ts';
import type { Resolved } from '../model/option-spec.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { Environment } from './environment.ts';
import { type Launch, type Settings, toLaunch } from './function-launch.ts';
import {
  type InvokeOptions,
  invokeOptions,
  type StartFunctionOptions,
  startFunctionOptions,
} from './function-options.ts';
import type { Answer } from './runtime-api.ts';
import { startWatchdog } from './watchdog.ts';

/** What an invoker gets of Lambda, and what only a test can know. */
export interface InvokeResult {
  /** What the handler returned, parsed; of a failed function its error. */
  readonly payload: unknown;
  /** There when the function failed, in any way: thrown, not loaded, exited, timed out, answered too much. */
  readonly functionError?: 'Unhandled';
  /** The payload of a failed function. */
  readonly error?: { readonly errorType: string; readonly errorMessage: string; readonly trace?: readonly string[] };
  readonly requestId: string;
  /** Lines that the function wrote since the invocation before. */
  readonly logs: readonly string[];
  /** From handing over the event to the next one being asked for. 0 when it was not loaded. */
  readonly durationMs: number;
  /** Whether a new environment was started for it. */
  readonly coldStart: boolean;
}

/** A function that {@link startFunction} made. */
export interface RunningFunction extends AsyncDisposable {
  /** Process id of the environment; nothing while there is none. */
  readonly pid: number | undefined;
  /**
   * Invokes the function and waits for its answer. The first invocation starts an environment, later ones find it
   * as it was left; after a crash or a timeout the next one starts another. Calls at the same time wait for each other.
   *
   * @param event what JSON can write
   * @throws MemphisError `PAYLOAD_TOO_LARGE`, `INVALID_EVENT`, `INVALID_OPTION`, `CLOSED` after `stop`
   */
  invoke(event?: unknown, options?: InvokeOptions): Promise<InvokeResult>;
  /**
   * Starts an environment ahead of the first invocation, as provisioned concurrency does.
   *
   * @throws MemphisError `FUNCTION_FAILED` when the function cannot be loaded, `CLOSED` after `stop`
   */
  init(): Promise<void>;
  /** SIGSTOP at this moment, in the middle of an invocation too, whose time goes on. @throws MemphisError `CLOSED` while there is no environment */
  freeze(): void;
  /** SIGCONT: goes on where it was frozen. An invocation does this by itself. @throws MemphisError `CLOSED` while there is no environment */
  thaw(): void;
  /** SIGKILL at this moment. Resolves when the environment is gone. */
  kill(): Promise<void>;
  /** Ends an idle environment as Lambda does where an extension is registered: SIGTERM, and SIGKILL 500 ms later. */
  shutdown(): Promise<void>;
  /** All lines that the function wrote so far. */
  logs(): readonly string[];
  /** Ends everything. May be called again. */
  stop(): Promise<void>;
}

/** Lambda refuses events that are larger. */
const MAX_EVENT_BYTES = 6_291_456;
/** Lambda's limit of the initialisation, where the function's own is not longer. */
const INIT_LIMIT_MS = 10_000;
const SHUTDOWN_MS = 500;

/**
 * Makes a function out of a handler's name. Needs the package `aws-lambda-ric`. No process is started before the first
 * invocation; what is started ends with this process, even when that is killed.
 *
 * @throws MemphisError `INVALID_OPTION`, `DEPENDENCY_MISSING` without `aws-lambda-ric`, `PROGRAM_FAILED`
 * @example
 * ```ts
 * await using billing = await startFunction({ handler: 'billing.handler', env: { MEMPHIS_SERVERS: broker.url } });
 * const { payload } = await billing.invoke({});
 * ```
 */
export async function startFunction(options: StartFunctionOptions = {}): Promise<RunningFunction> {
  const settings = resolveOptions('startFunction', startFunctionOptions, options);
  return new LocalFunction(settings, toLaunch(settings));
}

/** @throws MemphisError `INVALID_EVENT` */
function toJson(event: unknown): string {
  try {
    return JSON.stringify(event) ?? 'null';
  } catch (cause) {
    throw new MemphisError('INVALID_EVENT', 'invoke: the event cannot be written as JSON.', { cause });
  }
}

class LocalFunction implements RunningFunction {
  readonly #settings: Settings;
  readonly #launch: Launch;
  readonly #watchdog = startWatchdog();
  readonly #lines: string[] = [];
  #unended = '';
  #reported = 0;
  #environment: Environment | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(settings: Settings, launch: Launch) {
    this.#settings = settings;
    this.#launch = launch;
  }

  get pid(): number | undefined {
    return this.#environment?.pid;
  }

  async invoke(event: unknown = null, options?: InvokeOptions): Promise<InvokeResult> {
    const given = resolveOptions('invoke', invokeOptions, options);
    const body = toJson(event);
    if (Buffer.byteLength(body) > MAX_EVENT_BYTES) {
      throw new MemphisError(
        'PAYLOAD_TOO_LARGE',
        `invoke: the event is larger than the ${MAX_EVENT_BYTES} bytes that Lambda takes.`,
      );
    }
    return this.#inTurn(() => this.#invoke(body, given));
  }

  init(): Promise<void> {
    return this.#inTurn(async () => {
      const { failed } = await this.#ready();
      if (failed !== undefined) {
        throw new MemphisError('FUNCTION_FAILED', `The function could not be loaded: ${failed.body}`, {
          functionName: this.#settings.functionName,
        });
      }
    });
  }

  freeze(): void {
    this.#running().freeze();
  }

  thaw(): void {
    this.#running().thaw();
  }

  async kill(): Promise<void> {
    await this.#environment?.end();
  }

  shutdown(): Promise<void> {
    return this.#inTurn(async () => this.#environment?.shutdown(SHUTDOWN_MS));
  }

  logs(): readonly string[] {
    return this.#unended === '' ? [...this.#lines] : [...this.#lines, this.#unended];
  }

  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      await this.kill();
      await this.#last; // an invocation under way learns of the end
      await this.kill(); // it may have started another environment by then
      await this.#watchdog.dismiss();
    })();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #running(): Environment {
    if (this.#environment?.pid !== undefined) return this.#environment;
    throw new MemphisError('CLOSED', 'There is no environment at the moment: an invocation starts one.');
  }

  /** One after the other: an environment works off one event at a time. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      if (this.#stopped !== undefined) throw new MemphisError('CLOSED', 'This function was stopped; start a new one.');
      return work();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** The environment, started when there is none. */
  async #ready(): Promise<{ environment: Environment; isNew: boolean; failed?: Answer | undefined }> {
    if (this.#environment?.pid !== undefined) return { environment: this.#environment, isNew: false };
    const environment = await Environment.launch({
      ...this.#launch,
      onSpawn: (pid) => this.#watchdog.watch(-pid),
      onEnd: () => this.#watchdog.watch(undefined),
      onOutput: (chunk) => this.#write(chunk),
    });
    this.#environment = environment;
    const failed = await environment.init(Math.max(INIT_LIMIT_MS, this.#settings.timeoutMs));
    return { environment, isNew: true, failed };
  }

  async #invoke(event: string, given: Resolved<typeof invokeOptions>): Promise<InvokeResult> {
    const requestId = given.requestId ?? randomUUID();
    const timeoutMs = given.timeoutMs ?? this.#settings.timeoutMs;
    const { environment, isNew, failed } = await this.#ready();
    const startedAt = performance.now();
    const answer =
      failed ??
      (await environment.run(
        {
          requestId,
          event,
          deadlineMs: Date.now() + timeoutMs,
          functionArn: `arn:aws:lambda:eu-central-1:000000000000:function:${this.#settings.functionName}`,
          clientContext: given.clientContext === undefined ? undefined : JSON.stringify(given.clientContext),
        },
        timeoutMs,
      ));
    const payload = parse(answer.body);
    return {
      payload,
      ...(answer.isError && { functionError: 'Unhandled', error: payload as NonNullable<InvokeResult['error']> }),
      requestId,
      logs: this.#newLines(),
      durationMs: failed === undefined ? performance.now() - startedAt : 0,
      coldStart: isNew,
    };
  }

  #write(chunk: string): void {
    const lines = (this.#unended + chunk).split('\n');
    this.#unended = lines.pop() ?? '';
    this.#lines.push(...lines);
  }

  #newLines(): string[] {
    const lines = this.logs().slice(this.#reported);
    this.#reported += lines.length;
    return lines;
  }
}

/** A handler answers JSON; one that streams may answer anything. */
function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
