/** The functions of serverless.yml on this machine, under serverless-offline: started, invoked, stopped. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 3_000;
const root = path.join(import.meta.dirname, '..');

export interface Functions {
  /** Where the HTTP API listens. */
  readonly httpUrl: string;
  /** Rejects when the process that runs the functions ends by itself. */
  readonly failed: Promise<never>;
  /** Invokes a function by its key in serverless.yml and waits. @returns what it answered, and whether it failed */
  invoke(key: string, event: unknown, signal: AbortSignal): Promise<{ failed: boolean; answer: string }>;
  /** Ends the process and all it started. */
  stop(): Promise<void>;
  /** The same at once, for a process that is exiting. */
  kill(): void;
}

/**
 * Starts them; resolves when they can be invoked.
 *
 * @param options.env what the functions see beside `AWS_*`, through serverless.yml
 */
export async function startFunctions(options: {
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly signal: AbortSignal;
}): Promise<Functions> {
  const [httpPort, lambdaPort] = await freePorts();
  const lambdaUrl = `http://127.0.0.1:${lambdaPort}`;
  const log = openSync(options.logFile, 'a');
  const endWithParent = ['--import', pathToFileURL(path.join(root, 'demo/end-with-parent.ts')).href];
  const program = [...endWithParent, serverlessProgram(), ...offlineArguments(httpPort, lambdaPort)];
  const child = spawn(process.execPath, program, {
    cwd: root,
    env: {
      ...withoutSettings(process.env),
      ...options.env,
      AWS_ENDPOINT_URL_LAMBDA: lambdaUrl,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'demo',
      AWS_SECRET_ACCESS_KEY: 'demo',
      SLS_TELEMETRY_DISABLED: '1',
      SLS_NOTIFICATIONS_MODE: 'off',
    },
    stdio: ['ignore', log, log, 'ipc'], // its end tells the process of ours
    detached: true, // its own process group, so that nothing of it survives `stop`
  });
  closeSync(log); // the child has its own
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(
        new Error(`serverless-offline ended by itself (${signal ?? `code ${code}`}):\n${lastLines(options.logFile)}`),
      ),
    );
  });
  failed.catch(() => undefined); // whoever waits for it sees it
  try {
    await Promise.race([untilListening([httpPort, lambdaPort], options.signal), failed]);
  } catch (error) {
    await stopGroup(child);
    throw error;
  }
  return {
    httpUrl: `http://127.0.0.1:${httpPort}`,
    failed,
    invoke: (key, event, signal) =>
      invoke(`${lambdaUrl}/2015-03-31/functions/memphis-orders-local-${key}`, event, signal),
    stop: () => stopGroup(child),
    kill: () => killGroup(child, 'SIGKILL'),
  };
}

function serverlessProgram(): string {
  const manifest = createRequire(import.meta.url).resolve('serverless/package.json');
  return path.join(path.dirname(manifest), 'bin', 'serverless.js');
}

/** Headless, and away from the default ports, which a developer may use. */
function offlineArguments(httpPort: number, lambdaPort: number): string[] {
  const ports = ['--httpPort', String(httpPort), '--lambdaPort', String(lambdaPort)];
  return ['offline', 'start', '--stage', 'local', '--host', '127.0.0.1', ...ports, '--noSponsor'];
}

/** Settings of the developer's own broker and account must not reach the functions. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(AWS|MEMPHIS|SLS|NODE)_/.test(name)));
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(async (server) => {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      return address.port;
    }),
  );
  // Held together, so that they differ; then free for the functions.
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return [ports[0] ?? 0, ports[1] ?? 0];
}

async function untilListening(ports: readonly number[], signal: AbortSignal): Promise<void> {
  const giveUpAt = Date.now() + START_LIMIT_MS;
  for (const port of ports) {
    while (!(await accepts(port))) {
      signal.throwIfAborted();
      if (Date.now() > giveUpAt) throw new Error('The functions did not start within a minute.');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

/** The Invoke API, RequestResponse only: under serverless-offline a failing `Event` invocation ends the process. */
async function invoke(url: string, event: unknown, signal: AbortSignal): Promise<{ failed: boolean; answer: string }> {
  const response = await fetch(`${url}/invocations`, { method: 'POST', body: JSON.stringify(event), signal });
  const answer = await response.text();
  return { failed: !response.ok || response.headers.has('x-amz-function-error'), answer };
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // gone already
  }
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    killGroup(child, 'SIGTERM');
    const force = setTimeout(() => killGroup(child, 'SIGKILL'), STOP_LIMIT_MS);
    await exit;
    clearTimeout(force);
  }
  killGroup(child, 'SIGKILL'); // what it may have left behind
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
}
