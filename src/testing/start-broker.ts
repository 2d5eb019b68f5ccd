/** A real nats-server for tests and demos: its own port, its own folder, gone when its owner is. */

import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemphisError } from '../model/errors.ts';
import { type Given, on, type Resolved, text } from '../model/option-spec.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { toConfigText } from './broker-config.ts';
import { type BrokerProcess, launchBroker } from './broker-process.ts';
import { findNatsServers } from './nats-server.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

const MAX_BYTES = Number.MAX_SAFE_INTEGER;

/** The table of {@link StartBrokerOptions}. */
export const startBrokerOptions = {
  /** The nats-server program; left out: the first that `findNatsServers` finds. */
  binary: text,
  /** Left out: a free one. */
  port: { min: 1, max: 65_535 },
  /** Where streams are kept; stays when the broker stops. Left out: a temporary folder that goes with it. */
  storeDir: text,
  /** Whoever connects must show this token. */
  token: text,
  /** Whoever connects must show this name, and the password. */
  username: text,
  /** That of the name. */
  password: text,
  /** Whether the broker has JetStream. @default true */
  jetstream: on,
  /** Left out: 1 MiB, the server's own default. */
  maxPayloadBytes: { min: 1, max: 64 * 1024 * 1024 },
  /** Room for streams on file; left out: what the server thinks fit. */
  maxStoreBytes: { min: 1, max: MAX_BYTES },
  /** Room for streams in memory; left out: what the server thinks fit. */
  maxMemoryBytes: { min: 1, max: MAX_BYTES },
  /** More lines for the server's configuration file. */
  config: text,
  /** Where the server's log is added to; left out: into a temporary folder that goes with the broker. */
  logFile: text,
} as const;

/** Options of {@link startBroker}; all may be left out. */
export interface StartBrokerOptions extends Given<typeof startBrokerOptions> {}

/** A broker that {@link startBroker} started. */
export interface RunningBroker extends AsyncDisposable {
  /** `nats://127.0.0.1:<port>`, without credentials. */
  readonly url: string;
  readonly port: number;
  /** Of the program, as in `2.9.10`. */
  readonly version: string;
  /** Process id; nothing while it is down. */
  readonly pid: number | undefined;
  /** SIGKILL, as a crash would. What it stored stays for {@link restart}. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it anew on the same port and store; one that is running is stopped first. @throws MemphisError `PROGRAM_FAILED`, `CLOSED` after `stop` */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers, like a host that was cut off. @throws MemphisError `CLOSED` while it is down */
  freeze(): void;
  /** SIGCONT: goes on where it was frozen. @throws MemphisError `CLOSED` while it is down */
  thaw(): void;
  /** Ends it and removes what it put on disk, but for a `storeDir` or `logFile` of yours. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a nats-server with JetStream on 127.0.0.1. It ends with this process, even when that is killed. When it fails by itself,
 * a warning of the process (`MEMPHIS_BROKER_ENDED`) says so, with the last lines of its log.
 *
 * @throws MemphisError `PROGRAM_FAILED` when there is no nats-server or it does not come up, `INVALID_OPTION`
 * @example
 * ```ts
 * await using broker = await startBroker();
 * const memphis = await connect({ servers: [broker.url] });
 * ```
 */
export async function startBroker(options: StartBrokerOptions = {}): Promise<RunningBroker> {
  const settings = resolveOptions('startBroker', startBrokerOptions, options);
  refuseHalfCredentials(settings);
  const binary = settings.binary ?? firstServer();
  const folder = await mkdtemp(join(tmpdir(), 'memphis-serverless-broker-'));
  const watchdog = startWatchdog(folder);
  // the same for each run: a cluster takes a server of another name for another server
  const serverName = `memphis-serverless-${randomBytes(6).toString('hex')}`;
  const site: Site = { settings, binary, folder, watchdog, serverName };
  const cleanUp = async () => {
    await watchdog.dismiss();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    return toRunningBroker(site, await launchOnFreePort(site), cleanUp);
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

type Settings = Resolved<typeof startBrokerOptions>;

/** What the runs of one broker have in common. */
interface Site {
  readonly settings: Settings;
  readonly binary: string;
  readonly folder: string;
  readonly watchdog: Watchdog;
  readonly serverName: string;
}

interface Run {
  readonly port: number;
  readonly process: BrokerProcess;
}

function refuseHalfCredentials({ username, password, token }: Settings): void {
  const refuse = (option: string, why: string): never => {
    throw new MemphisError('INVALID_OPTION', `startBroker: ${why}.`, { option });
  };
  if ((username === undefined) !== (password === undefined)) refuse('password', 'give username and password together');
  if (token !== undefined && username !== undefined) refuse('token', 'give either token or username, not both');
}

function firstServer(): string {
  const [binary] = findNatsServers();
  if (binary !== undefined) return binary;
  throw new MemphisError(
    'PROGRAM_FAILED',
    'startBroker found no nats-server: call ensureNatsServer() first, which installs one, or name a program in the ' +
      'option binary or in NATS_SERVER_BIN.',
  );
}

/**
 * The server binds the port itself and we try another when that fails, so nobody can snatch a port that we only
 * looked at. Ports are below the range that systems give to outgoing connections (from 32768 on Linux): a client
 * that dials again and again while the broker is down could otherwise be given the broker's own port.
 */
async function launchOnFreePort(site: Site): Promise<Run> {
  const { port } = site.settings;
  if (port !== undefined) return launchOnPort(site, port, 1_000);
  for (let tries = 0; tries < 20; tries++) {
    const run = await launch(site, randomInt(10_000, 32_000));
    if (run !== undefined) return run;
  }
  throw new MemphisError('PROGRAM_FAILED', `Starting ${site.binary} failed: no free port in 20 tries.`);
}

/** On one port only: the process that had it may need a moment to be gone. */
async function launchOnPort(site: Site, port: number, patienceMs: number): Promise<Run> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(100)) {
    const run = await launch(site, port);
    if (run !== undefined) return run;
  }
  throw new MemphisError('PROGRAM_FAILED', `Starting ${site.binary} failed: port ${port} is taken by another process.`);
}

/** @returns nothing when the port is taken */
async function launch(
  { settings, binary, folder, watchdog, serverName }: Site,
  port: number,
): Promise<Run | undefined> {
  const { jetstream, config, storeDir, logFile, token, username, password } = settings;
  const store = resolve(storeDir ?? join(folder, 'store'));
  const configFile = join(folder, 'server.conf');
  const text = toConfigText({
    ...settings,
    port,
    serverName,
    storeDir: jetstream ? store : undefined,
    extra: config,
  });
  await writeFile(configFile, text, { mode: 0o600 });
  const process = await launchBroker(
    {
      binary: resolve(binary),
      configFile,
      folder,
      logFile: resolve(logFile ?? join(folder, 'server.log')),
      port,
      serverName,
      secrets: [token, username, password].filter((secret) => secret !== undefined),
    },
    watchdog.watch,
  );
  return process === undefined ? undefined : { port, process };
}

function toRunningBroker(site: Site, { port, process: first }: Run, cleanUp: () => Promise<void>): RunningBroker {
  let current = first;
  let stopped: Promise<void> | undefined;
  let last: Promise<void> = Promise.resolve();
  /** Calls at the same time are obeyed one after the other. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    await current.end(signal);
    site.watchdog.watch(undefined);
  };
  const running = (): BrokerProcess => {
    if (current.isRunning()) return current;
    throw new MemphisError('CLOSED', 'This broker is down: it can be restarted only.');
  };
  const stop = () => {
    stopped ??= inTurn(async () => {
      // Nobody reads a temporary store again, so there is nothing to bring to an orderly end.
      await end(site.settings.storeDir === undefined ? 'SIGKILL' : 'SIGTERM');
      await cleanUp();
    });
    return stopped;
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    version: first.version,
    get pid() {
      return current.isRunning() ? current.pid : undefined;
    },
    kill: () => inTurn(() => end('SIGKILL')),
    restart: () =>
      inTurn(async () => {
        if (stopped !== undefined) throw new MemphisError('CLOSED', 'This broker was stopped; start a new one.');
        await end('SIGTERM');
        current = (await launchOnPort(site, port, 5_000)).process;
      }),
    freeze: () => running().freeze(),
    thaw: () => running().thaw(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
