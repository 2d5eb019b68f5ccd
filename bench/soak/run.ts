/** The soak: load, freezes, faults and a broker that is killed; then the accounts. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BrokerView, viewBroker } from '../../demo/broker-view.ts';
import { type Account, account, type Problem } from '../../demo/ledger.ts';
import { memphisUrl, NOTICES, ROWS_LIMIT_MS, viewMemphis } from '../../demo/memphis-view.ts';
import type { JournalEntry } from '../../handlers/journal.ts';
import { connect } from '../../src/index.ts';
import { ensureNatsServer, startBroker } from '../../src/testing/index.ts';
import { makeRandom, type Random } from '../../test/support/random.ts';
import type { Progress } from '../../tools/progress.ts';
import { Actor } from './actor.ts';
import { type Flatness, judge } from './flatness.ts';

const STATION = 'soak';
const GROUP = 'soakers';
const CONSUMERS = 2;
const PRODUCERS = 2;
const PER_INVOCATION = 20;
/** Producers wait while so many messages are stored and not settled. */
const MAX_BACKLOG = 1_000;
/** A bound for what has to be remembered and read back in a long soak. */
const PRODUCER_PAUSE_MS = 60;
const SETTLE_LIMIT_MS = 90_000;
/** Some two dead letters come in a second, and a broker lists a thousand. */
const READ_EVERY_MS = 30_000;

export interface SoakResult {
  readonly minutes: number;
  readonly seed: number;
  readonly account: Account;
  readonly problems: readonly Problem[];
  readonly actors: readonly ActorResult[];
  readonly brokerKills: number;
  readonly server: string;
  readonly node: string;
  readonly addsUp: boolean;
}

export interface ActorResult {
  readonly name: string;
  readonly invocations: number;
  /** Invocations that failed, while the broker was down for example; they are invoked again, as Lambda does. */
  readonly failures: number;
  readonly freezes: number;
  readonly faults: number;
  readonly starts: number;
  /** Nothing: too short to tell. */
  readonly flatness: Flatness | undefined;
  readonly lastError: string | undefined;
}

export interface SoakRun {
  readonly broker: 'jetstream' | 'memphis';
  readonly restart: string | undefined;
  readonly minutes: number;
  readonly seed: number;
  /** An empty folder for files of this run. */
  readonly folder: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export async function soak(options: SoakRun): Promise<SoakResult> {
  const closing: (() => Promise<unknown>)[] = [];
  try {
    return await soakWith(options, closing);
  } finally {
    for (const close of closing.reverse()) await close().catch(() => undefined);
  }
}

interface SoakBroker {
  /** Kills it and starts it again; left out: it is not ours to kill. */
  readonly restart?: (random: Random) => Promise<void>;
  /** Between two of these, from and to. */
  readonly livesMs: readonly [min: number, max: number];
  readonly version: string;
  readonly url: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly urlAt: (host: string) => string;
  readonly view: () => Promise<BrokerView>;
  /** Looks at the dead letters as a user does, until the broker has read all: what it does not come to is handed in again by that. */
  readonly look?: (view: BrokerView) => Promise<unknown>;
  readonly stop: () => Promise<unknown>;
}

async function ourBroker({ say }: Progress): Promise<SoakBroker> {
  const running = await startBroker({ binary: await ensureNatsServer({ log: say }) });
  const { url, port } = running;
  return {
    url,
    port,
    livesMs: [8_000, 20_000],
    async restart(random) {
      await running.kill();
      await sleep(random.between(0, 1_200));
      await running.restart();
    },
    version: `nats-server ${running.version}`,
    env: { MEMPHIS_BROKER: 'jetstream', MEMPHIS_MAX_MSG_DELIVERIES: '100' },
    urlAt: (host) => `nats://${host}`,
    view: () => viewBroker(url),
    stop: () => running.stop(),
  };
}

/** A Memphis broker; the station that it lends us is taken away at the end. */
function theirBroker(restart: string | undefined): SoakBroker {
  const url = memphisUrl();
  const { username, password, host, port } = new URL(url.replace(/^memphis:/, 'http:'));
  return {
    url,
    port: Number(port),
    livesMs: [20_000, 45_000], // it takes seconds to come up
    ...(restart === undefined
      ? {}
      : {
          async restart() {
            const child = spawn(restart, { shell: true, stdio: 'ignore' });
            const [code] = await once(child, 'exit');
            if (code !== 0) throw new Error(`The command of --restart ended with ${code}.`);
          },
        }),
    version: `the Memphis broker at ${host}`,
    env: { MEMPHIS_BROKER: 'memphis', MEMPHIS_MAX_MSG_DELIVERIES: '10' }, // it delivers no more often
    urlAt: (host) => `memphis://${username}:${password}@${host}`,
    view: () => viewMemphis(url),
    async look(view) {
      const apiUrl = process.env.MEMPHIS_API_URL;
      const memphis = await connect({ servers: [url], ...(apiUrl === undefined ? {} : { apiUrl }) });
      try {
        for (const untilMs = Date.now() + ROWS_LIMIT_MS; Date.now() < untilMs; await sleep(2_000)) {
          await memphis.station(STATION).deadLetters().count();
          if ((await view.countIn(NOTICES)) === 0) return;
        }
      } finally {
        await memphis.close();
      }
    },
    async stop() {
      const memphis = await connect({ servers: [url] });
      await memphis.destroyStation(STATION);
      await memphis.close();
    },
  };
}

/** What is going on. */
interface Game {
  readonly options: SoakRun;
  readonly random: Random;
  /** Load and trouble end here; what is stored is worked off after it. */
  readonly endMs: number;
  readonly attempted: Set<string>;
  readonly stored: Set<string>;
  readonly failed: Map<string, string>;
  settled: number;
  next: number;
  isOver: boolean;
}

async function soakWith(options: SoakRun, closing: (() => Promise<unknown>)[]): Promise<SoakResult> {
  const { minutes, seed, folder, progress, signal } = options;
  const random = makeRandom(seed);
  const broker = options.broker === 'memphis' ? theirBroker(options.restart) : await ourBroker(progress);
  closing.push(() => broker.stop());
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation(STATION, { partitionsNumber: 2, retentionValue: 86_400 });
  await memphis.close();
  const journalFile = path.join(folder, 'journal.jsonl');
  const actors = await startActors(broker, journalFile, random);
  for (const actor of actors) closing.push(() => actor.stop());
  const game: Game = {
    options,
    random: random.fork('game'),
    endMs: Date.now() + minutes * 60_000,
    attempted: new Set(),
    stored: new Set(),
    failed: new Map(),
    settled: 0,
    next: 0,
    isOver: false,
  };
  progress.say(`Soaking for ${minutes} min on ${broker.version}, seed ${seed}.`);
  const view = await broker.view();
  closing.push(() => view.close());

  const kills = { count: 0 };
  const producing = Promise.all(actors.filter(isProducer).map((actor) => produce(actor, game)));
  const working = Promise.all([
    producing,
    ...actors.filter((actor) => !isProducer(actor)).map((actor) => consume(actor, game)),
    strikeActors(actors, game),
    killBroker(broker, kills, game),
    tell(actors, kills, game),
    readDeadLetters(view, game),
  ]);
  working.catch(() => {
    game.isOver = true; // one that fails ends all
  });
  const ending = producing.then(() => untilThrough(view, game));
  const [, isThrough] = await Promise.all([working, ending]);
  signal.throwIfAborted();

  progress.update('soak: reading the station back');
  await broker.look?.(view);
  const journal = readJournal(journalFile);
  const [storedIds, deadLetterIds] = await Promise.all([view.storedIds(STATION), view.deadLetterIds(STATION)]);
  const { attempted, stored, failed } = game;
  const facts = { station: STATION, attempted, stored, refused: new Set<string>(), failed };
  const balance = account({ ...facts, storedIds, deadLetterIds, isThrough, journal });
  const results = actors.map(toResult);
  const isFlat = results.every(({ flatness, starts }) => (flatness?.problems.length ?? 0) === 0 && starts === 1);
  return {
    minutes,
    seed,
    account: balance.account,
    problems: balance.problems,
    actors: results,
    brokerKills: kills.count,
    server: broker.version,
    node: process.versions.node,
    addsUp: balance.account.addsUp && isFlat,
  };
}

const isProducer = ({ name }: Actor): boolean => name.startsWith('producer');

function startActors({ port, env, urlAt }: SoakBroker, journalFile: string, random: Random): Promise<Actor[]> {
  const consumer = {
    handler: 'consumer.handler',
    port,
    urlAt,
    env: {
      ...env,
      JOURNAL_FILE: journalFile,
      MEMPHIS_STATION: STATION,
      MEMPHIS_GROUP: GROUP,
      MEMPHIS_BATCH_SIZE: '50',
      MEMPHIS_BATCH_MAX_WAIT_MS: '100',
      MEMPHIS_MAX_ACK_TIME_MS: '1500',
      MEMPHIS_FAIL_WHEN_ALL_FAIL: 'false',
    },
    points: ['pulling', 'handling', 'settling', 'returned', 'anywhere', 'anywhere'],
    deafAfter: '$JS.ACK.',
  } as const;
  const producer = {
    handler: 'producer.handler',
    port,
    urlAt,
    env,
    points: ['publishing', 'produced', 'returned', 'anywhere'],
    deafAfter: '.final ',
  } as const;
  const named = (name: string) => ({ name, random: random.fork(name) });
  return Promise.all([
    ...Array.from({ length: CONSUMERS }, (_, index) => Actor.start({ ...consumer, ...named(`consumer ${index + 1}`) })),
    ...Array.from({ length: PRODUCERS }, (_, index) => Actor.start({ ...producer, ...named(`producer ${index + 1}`) })),
  ]);
}

const hasLoad = ({ endMs, isOver, options }: Game): boolean => Date.now() < endMs && !isOver && !options.signal.aborted;

/** Stores messages until time is up; what failed is stored again under the same ids, as a caller would. */
async function produce(actor: Actor, game: Game): Promise<void> {
  while (hasLoad(game)) {
    if (game.stored.size - game.settled > MAX_BACKLOG) {
      await sleep(50);
      continue;
    }
    const messages = Array.from({ length: PER_INVOCATION }, () => {
      const number = game.next++;
      return { id: `m${number}`, number };
    });
    for (const { id } of messages) game.attempted.add(id);
    for (let tries = 0; ; tries++) {
      const { error } = await actor.invoke({ messages }, !hasLoad(game));
      if (error === undefined) break;
      if (tries === 20 || game.isOver || game.options.signal.aborted) {
        // not trouble that the soak makes: nothing works here
        if (game.stored.size === 0)
          throw new Error(`Nothing could be stored: ${error.errorType}: ${error.errorMessage}`);
        for (const { id } of messages) game.failed.set(id, error.errorMessage);
        return;
      }
      await sleep(100);
    }
    for (const { id } of messages) game.stored.add(id);
    await sleep(PRODUCER_PAUSE_MS);
  }
}

async function consume(actor: Actor, game: Game): Promise<void> {
  while (!game.isOver && !game.options.signal.aborted) {
    const { payload, error } = await actor.invoke({}, !hasLoad(game));
    if (error !== undefined) {
      await sleep(100);
      continue;
    }
    const { summary } = payload as { readonly summary: { readonly acked: number; readonly deadLettered: number } };
    game.settled += summary.acked + summary.deadLettered;
  }
}

/** Connections are cut at any moment, a few seconds apart. */
async function strikeActors(actors: readonly Actor[], game: Game): Promise<void> {
  while (hasLoad(game)) {
    await sleep(game.random.between(200, 2_500));
    if (hasLoad(game)) game.random.pick(actors).strike();
  }
}

async function killBroker({ restart, livesMs }: SoakBroker, kills: { count: number }, game: Game): Promise<void> {
  while (restart !== undefined && hasLoad(game)) {
    const nextMs = Date.now() + game.random.between(...livesMs);
    while (hasLoad(game) && Date.now() < nextMs) await sleep(100);
    if (!hasLoad(game)) return;
    kills.count++;
    await restart(game.random);
  }
}

async function tell(actors: readonly Actor[], kills: { readonly count: number }, game: Game): Promise<void> {
  const { progress, minutes } = game.options;
  while (!game.isOver && !game.options.signal.aborted) {
    const left = Math.max(0, game.endMs - Date.now());
    const sum = (read: (actor: Actor) => number): number => actors.reduce((total, actor) => total + read(actor), 0);
    progress.update(
      `soak: ${(minutes - left / 60_000).toFixed(1)} of ${minutes} min, ${game.stored.size} stored, ${game.settled} ` +
        `settled, ${sum(({ freezes }) => freezes.total)} freezes, ${sum(({ faults }) => faults)} faults, ${kills.count} broker kills`,
    );
    await sleep(1_000);
  }
}

/** Dead letters that the broker does not list for ever are read while they come. */
async function readDeadLetters(view: BrokerView, game: Game): Promise<void> {
  let nextMs = Date.now();
  while (!game.isOver && !game.options.signal.aborted) {
    await sleep(200);
    if (Date.now() < nextMs) continue;
    await view.readDeadLetters?.(STATION).catch(() => undefined); // the broker may just be starting
    nextMs = Date.now() + READ_EVERY_MS;
  }
}

/** @returns whether the group is through in time; then all may end */
async function untilThrough(view: BrokerView, game: Game): Promise<boolean> {
  const deadline = Date.now() + SETTLE_LIMIT_MS;
  let isThrough = false;
  while (!isThrough && Date.now() < deadline && !game.isOver && !game.options.signal.aborted) {
    await sleep(200);
    isThrough = await view.isThrough(STATION, GROUP).catch(() => false); // the broker may just be starting
  }
  game.isOver = true;
  return isThrough;
}

const readJournal = (file: string): Pick<JournalEntry, 'id' | 'attempt' | 'how'>[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

function toResult(actor: Actor): ActorResult {
  const { name, invocations, failures, faults, starts, lastError } = actor;
  return {
    name,
    invocations,
    failures,
    freezes: actor.freezes.total,
    faults,
    starts,
    flatness: judge(actor.weights),
    lastError,
  };
}
