/** One run of a nats-server program: started, ready or reported, and never outliving this process. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemphisError } from '../model/errors.ts';
import { suspend } from './suspend.ts';

/** How to run it. */
export interface BrokerLaunch {
  readonly binary: string;
  readonly configFile: string;
  /** Working directory. */
  readonly folder: string;
  readonly logFile: string;
  readonly port: number;
  readonly serverName: string;
  /** Taken out of what an error quotes from the log. */
  readonly secrets: readonly string[];
}

/** A nats-server that answers. */
export interface BrokerProcess {
  readonly pid: number;
  readonly version: string;
  /** False once it has ended, whoever ended it. */
  isRunning(): boolean;
  freeze(): void;
  thaw(): void;
  /** Sends the signal, then SIGKILL when it has not ended within 5 s. Resolves when it has ended. */
  end(name: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

const READY_MS = 15_000;
const GRACE_MS = 5_000;

/**
 * Starts the program and resolves when it answers on its port.
 *
 * @param onSpawn gets the process id as soon as there is one
 * @returns nothing when the port is taken
 * @throws MemphisError `PROGRAM_FAILED` with the last lines of its log
 */
export async function launchBroker(
  launch: BrokerLaunch,
  onSpawn: (pid: number) => void,
): Promise<BrokerProcess | undefined> {
  const log = openSync(launch.logFile, 'a', 0o600);
  const logStart = fstatSync(log).size;
  // A process group of its own: Ctrl-C in a terminal ends its owner, who then decides about the broker.
  const child = spawn(launch.binary, ['-c', launch.configFile], {
    cwd: launch.folder,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = endOf(child);
  const killNow = () => child.kill('SIGKILL');
  process.once('exit', killNow);
  ended.then(() => process.off('exit', killNow));
  if (child.pid !== undefined) onSpawn(child.pid);

  const version = await answer(launch, ended);
  if (version !== undefined) {
    child.unref(); // a forgotten broker does not keep its owner alive
    return toProcess(launch, child, ended, version);
  }
  killNow();
  const why = await ended;
  const words = readFileSync(launch.logFile).subarray(logStart).toString();
  if (/address already in use/i.test(words)) return undefined;
  throw new MemphisError('PROGRAM_FAILED', `Starting ${launch.binary} failed: ${why}. ${lastWords(words, launch)}`);
}

/** Resolves with what happened; a program that cannot be started at all counts as ended. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `it ended with ${code}` : `it did not answer within ${READY_MS / 1000} s`),
    );
  });
}

/** The version that the server tells on its port, or nothing when it ended or time is up. */
async function answer(launch: BrokerLaunch, ended: Promise<string>): Promise<string | undefined> {
  const deadline = Date.now() + READY_MS;
  let running = true;
  ended.then(() => {
    running = false;
  });
  while (running && Date.now() < deadline) {
    const info = await readInfo(launch.port);
    // Another server may have been faster on this port: ours then ends by itself.
    if (info?.server_name === launch.serverName && typeof info.version === 'string') return info.version;
    await Promise.race([sleep(20), ended]);
  }
  return undefined;
}

/** The INFO line with which a server greets each connection. Never rejects. */
function readInfo(port: number): Promise<Record<string, unknown> | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    const finish = (info?: Record<string, unknown>) => {
      socket.destroy();
      resolve(info);
    };
    socket.setEncoding('utf8').setTimeout(1_000, finish);
    socket.on('error', () => finish());
    socket.on('close', () => finish());
    socket.on('data', (chunk) => {
      text += chunk;
      const line = /^INFO (\{.*\})\s*\r\n/.exec(text)?.[1];
      if (line !== undefined) finish(JSON.parse(line) as Record<string, unknown>);
      else if (text.includes('\n')) finish();
    });
  });
}

function lastWords(log: string, { secrets }: BrokerLaunch): string {
  let words = log.trim().split('\n').slice(-6).join('\n');
  for (const secret of secrets) words = words.replaceAll(secret, '***');
  return words === '' ? 'It wrote no log.' : `Its last lines:\n${words}`;
}

/** Whoever works on it meets refused connections only, and its log goes with it: this is where the reason is told. */
function warnOfEnd(launch: BrokerLaunch, { exitCode, signalCode }: ChildProcess): void {
  const how = signalCode === null ? `with exit code ${exitCode}` : `by ${signalCode}`;
  let words = 'Its log is gone.';
  try {
    words = lastWords(readFileSync(launch.logFile).toString(), launch);
  } catch {
    // it was removed meanwhile, and the end is to be told all the same
  }
  process.emitWarning(`The broker on port ${launch.port} ended by itself, ${how}. ${words}`, {
    code: 'MEMPHIS_BROKER_ENDED',
  });
}

function toProcess(launch: BrokerLaunch, child: ChildProcess, ended: Promise<string>, version: string): BrokerProcess {
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  let isEnding = false;
  ended.then(() => isEnding || child.exitCode === 0 || warnOfEnd(launch, child));
  const pid = child.pid as number; // it has answered, so it has one
  return {
    pid,
    version,
    isRunning,
    freeze: () => suspend(pid),
    thaw: () => void child.kill('SIGCONT'),
    async end(name) {
      isEnding = true;
      if (!isRunning()) return;
      child.ref(); // somebody waits for it now
      if (name !== 'SIGKILL') child.kill('SIGCONT'); // a frozen program reads no signal
      child.kill(name);
      const patience = new AbortController();
      const late = sleep(GRACE_MS, undefined, { signal: patience.signal }).then(
        () => void child.kill('SIGKILL'),
        () => {},
      );
      await ended;
      patience.abort();
      await late;
    },
  };
}
