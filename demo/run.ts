/** One run of the demo: start, send, work, check, stop. Whatever happens, nothing is left running. */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Client, connect } from 'memphis-serverless';
import { startBroker } from 'memphis-serverless/testing';
import type { JournalEntry } from '../handlers/journal.ts';
import type { Progress } from '../tools/progress.ts';
import { type BrokerView, viewBroker } from './broker-view.ts';
import { type Functions, startFunctions } from './functions.ts';
import { type Account, account, type Problem } from './ledger.ts';
import { memphisUrl, viewMemphis } from './memphis-view.ts';
import { invalidOrder, makeInvoice, makeOrder, makeSent, postOrders, produceInvoices, type Sent } from './traffic.ts';

/** Stations with the group and the function that work on them. */
const work = [
  { station: 'orders', group: 'billing', kind: 'charge' },
  { station: 'invoices', group: 'mailing', kind: 'mail' },
] as const;
const DOWNTIME_MS = 500;
const LOOK_EVERY_MS = 200;
/** The schedule's minute, shortened. */
const JOB_EVERY_MS = 500;
/** To be through once all is sent: so long, and so long for each message. */
const BASE_LIMIT_MS = 90_000;
const LIMIT_PER_MESSAGE_MS = 50;

export interface Result {
  readonly messages: number;
  readonly chaos: boolean;
  readonly accounts: readonly Account[];
  readonly problems: readonly Problem[];
  /** Requests that clients had to repeat, and how many of these the broker recognised as stored already. */
  readonly repeats: number;
  readonly recognised: number;
  readonly seconds: { readonly start: number; readonly work: number; readonly check: number };
}

export interface RunOptions {
  readonly messages: number;
  readonly chaos: boolean;
  readonly broker: 'jetstream' | 'memphis';
  /** An empty folder for files of this run. */
  readonly folder: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

type Closing = () => Promise<unknown>;

export async function run(options: RunOptions): Promise<Result> {
  const closing: Closing[] = [];
  try {
    return await runWith(options, closing);
  } finally {
    for (const close of closing.reverse()) await close().catch(() => undefined);
  }
}

async function runWith(options: RunOptions, closing: Closing[]): Promise<Result> {
  const { messages, chaos, folder, progress, signal } = options;
  const startedAt = performance.now();
  const journalFile = path.join(folder, 'journal.jsonl');
  progress.say('Starting a broker and the functions of serverless.yml ...');
  const broker = options.broker === 'memphis' ? memphisBroker() : await startBroker();
  closing.push(() => broker.stop());
  const functions = await startFunctions({
    env: { MEMPHIS_SERVERS: broker.url, JOURNAL_FILE: journalFile },
    logFile: path.join(folder, 'functions.log'),
    signal,
  });
  const killOnExit = (): void => functions.kill();
  process.once('exit', killOnExit);
  closing.push(async () => {
    await functions.stop();
    process.removeListener('exit', killOnExit);
  });
  const memphis = await connect({ servers: [broker.url], maxReconnect: 100, reconnectIntervalMs: 100 });
  closing.push(() => memphis.close());
  if (options.broker === 'memphis') await borrowStations(memphis, closing);
  await memphis.createStation('orders', { partitionsNumber: 2 });
  await memphis.createStation('invoices');
  const view = options.broker === 'memphis' ? await viewMemphis(broker.url) : await viewBroker(broker.url);
  closing.push(() => view.close());
  const readyAt = performance.now();

  const sent = { orders: makeSent(), invoices: makeSent() };
  const invoices = Array.from({ length: Math.ceil(messages / 4) }, (_, index) => makeInvoice(index));
  const orders = Array.from({ length: messages }, (_, index) => makeOrder(index));
  progress.say(
    `Sending ${messages} orders to ${functions.httpUrl}/orders, one invalid order, ${invoices.length} invoices`,
  );

  // Ends what works beside the sending: the end of the work, a failure, or the user.
  const over = new AbortController();
  const working = AbortSignal.any([signal, over.signal]);
  const half = Math.ceil(messages / 2);
  let strike: Promise<void> | undefined;
  const onAnswer = (answered: number): void => {
    if (chaos && answered >= half) strike ??= restartBroker(broker, progress);
  };
  const sending = async (): Promise<void> => {
    await Promise.all([
      postOrders(`${functions.httpUrl}/orders`, [invalidOrder, ...orders], sent.orders, { signal: working, onAnswer }),
      produceInvoices(memphis, invoices, sent.invoices, working),
    ]);
    await strike;
  };
  const state = { sendingDone: false };
  const beside = Promise.all([
    sending().then(() => {
      state.sendingDone = true;
    }),
    invokeAgainAndAgain(functions, 'poller', { pauseMs: 50, signal: working }),
    invokeAgainAndAgain(functions, 'fetchJob', { pauseMs: JOB_EVERY_MS, signal: working }),
  ]);
  const limitMs = BASE_LIMIT_MS + messages * LIMIT_PER_MESSAGE_MS;
  const watching = untilThrough({ view, sent, journalFile, progress, state, limitMs, signal: working });
  try {
    await Promise.race([watching, beside.then(() => watching), functions.failed]);
  } finally {
    over.abort(new Error('the work is over'));
    await Promise.allSettled([watching, beside, strike]);
  }
  const workedAt = performance.now();
  progress.end();

  const accounts = await Promise.all(work.map((item) => settleAccounts(item, sent[item.station], view, journalFile)));
  const seconds = (from: number, to: number): number => Math.round((to - from) / 100) / 10;
  return {
    messages,
    chaos,
    accounts: accounts.map((item) => item.account),
    problems: accounts.flatMap((item) => item.problems),
    repeats: sent.orders.repeats + sent.invoices.repeats,
    recognised: sent.orders.recognised + sent.invoices.recognised,
    seconds: {
      start: seconds(startedAt, readyAt),
      work: seconds(readyAt, workedAt),
      check: seconds(workedAt, performance.now()),
    },
  };
}

/** One that is there already: nothing starts or stops it. */
function memphisBroker() {
  const refuse = async (): Promise<void> => {
    throw new Error('this broker was not started by the demo');
  };
  return { url: memphisUrl(), stop: async () => {}, kill: refuse, restart: refuse };
}

/** The functions have their stations by name: on a broker of others these must not be anybody's, and go again. */
async function borrowStations(memphis: Client, closing: Closing[]): Promise<void> {
  const names = work.map(({ station }) => station);
  const there = (await memphis.listStations()).filter(({ name }) => names.some((one) => one === name));
  if (there.length > 0) {
    const list = there.map(({ name }) => name).join(', ');
    throw new Error(`the broker has ${list} already, and the demo would work on what is in there`);
  }
  closing.push(() => Promise.all(names.map((name) => memphis.destroyStation(name).catch(() => undefined))));
}

async function restartBroker(
  broker: { kill(): Promise<void>; restart(): Promise<void> },
  progress: Progress,
): Promise<void> {
  progress.say('Killing the broker half-way (SIGKILL) ...');
  await broker.kill();
  await new Promise((resolve) => setTimeout(resolve, DOWNTIME_MS));
  await broker.restart();
  progress.say('The broker is back.');
}

/** Plays the schedule: an invocation that ended, well or not, is followed by the next one. */
async function invokeAgainAndAgain(
  functions: Functions,
  key: string,
  { pauseMs, signal }: { readonly pauseMs: number; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    const time = new Date().toISOString();
    const event = { source: 'aws.events', 'detail-type': 'Scheduled Event', time, detail: {}, resources: [] };
    try {
      await functions.invoke(key, event, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Resolves when all is sent and settled, or the time is up; shows how far it is. */
async function untilThrough(options: {
  readonly view: BrokerView;
  readonly sent: Readonly<Record<'orders' | 'invoices', Sent>>;
  readonly journalFile: string;
  readonly progress: Progress;
  readonly state: { readonly sendingDone: boolean };
  readonly limitMs: number;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { view, sent, journalFile, progress, state, limitMs, signal } = options;
  const giveUpAt = Date.now() + limitMs;
  let dead = 0;
  while (!signal.aborted && Date.now() < giveUpAt) {
    let isThrough = false;
    const wasSent = state.sendingDone; // asked first: what is sent later may not be stored yet when the broker is asked
    try {
      const through = await Promise.all(work.map(({ station, group }) => view.isThrough(station, group)));
      // counted behind that, so that the last line shows them all
      const counts = await Promise.all(work.map(({ station }) => view.countDeadLetters(station)));
      dead = counts.reduce((sum, count) => sum + count, 0);
      isThrough = through.every((value) => value);
    } catch {
      // the broker is away; the next look may find it
    }
    progress.update(describeProgress(sent, readJournal(journalFile), dead));
    if (isThrough && wasSent) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  signal.throwIfAborted();
}

function describeProgress(
  sent: Readonly<Record<'orders' | 'invoices', Sent>>,
  journal: readonly JournalEntry[],
  dead: number,
): string {
  const done = new Set(journal.filter(({ how }) => how === 'done').map(({ id }) => id)).size;
  const retried = journal.filter(({ attempt }) => attempt > 1).length;
  const count = sent.orders.attempted.size + sent.invoices.attempted.size;
  return `sent ${count}  acked ${done}  retries ${retried}  dead-lettered ${dead}  refused ${sent.orders.refused.size}`;
}

function readJournal(file: string): JournalEntry[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1); // what stands behind the last end of line is unfinished
  return lines.map((line) => JSON.parse(line) as JournalEntry);
}

async function settleAccounts(
  { station, group, kind }: (typeof work)[number],
  sent: Sent,
  view: BrokerView,
  journalFile: string,
): Promise<{ readonly account: Account; readonly problems: readonly Problem[] }> {
  return account({
    station,
    ...sent,
    storedIds: await view.storedIds(station),
    deadLetterIds: await view.deadLetterIds(station),
    isThrough: await view.isThrough(station, group),
    journal: readJournal(journalFile).filter((entry) => entry.work === kind),
  });
}
