/** Doubles for the poller: a queue behind the broker port, and a Lambda client that calls a function of ours. */

import type { MemphisEvent } from '../../src/envelope/event.ts';
import type { Batch } from '../../src/model/batch.ts';
import type { Broker, PullOptions, ReaderOptions } from '../../src/model/broker.ts';
import type { StoredMessage } from '../../src/model/message.ts';
import { type Outcome, type Settled, withinDeliveries } from '../../src/model/outcome.ts';
import type { ConnectedClient } from '../../src/poller/run-mappings.ts';

export interface FakeStation {
  readonly broker: Broker;
  /** What `connection` takes. */
  readonly connection: ConnectedClient;
  put(...bodies: (string | Uint8Array)[]): void;
  readonly acked: string[];
  readonly deadLetters: { readonly body: string; readonly reason: string; readonly deliveryCount: number }[];
  readonly pulls: number[];
  readonly outcomes: Outcome[];
  extensions: number;
  /** Handed out and not settled. */
  held: number;
  readonly readers: ReaderOptions[];
  /** Thrown by the next pulls, one each. */
  readonly errors: unknown[];
}

interface Entry {
  readonly sequence: number;
  readonly data: Uint8Array;
  deliveries: number;
  readyAt: number;
}

export function fakeStation(): FakeStation {
  const ready: Entry[] = [];
  const wakers = new Set<() => void>();
  let sequence = 0;
  const wake = (): void => {
    for (const waker of [...wakers]) waker();
  };
  const put = (...bodies: (string | Uint8Array)[]): void => {
    for (const body of bodies) {
      const data = typeof body === 'string' ? new TextEncoder().encode(body) : body;
      sequence += 1;
      ready.push({ sequence, data, deliveries: 0, readyAt: 0 });
    }
    wake();
  };
  const nextReadyIn = (): number => Math.min(...ready.map(({ readyAt }) => readyAt - performance.now()));
  const take = (count: number): Entry[] => {
    const now = performance.now();
    const taken = ready.filter(({ readyAt }) => readyAt <= now).slice(0, count);
    for (const entry of taken) ready.splice(ready.indexOf(entry), 1);
    return taken;
  };
  const waitForOne = async ({ waitMs, signal }: PullOptions): Promise<void> => {
    const until = performance.now() + waitMs;
    while (performance.now() < until && !(nextReadyIn() <= 0) && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          wakers.delete(done);
          signal?.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, Math.max(1, Math.min(until - performance.now(), nextReadyIn())));
        wakers.add(done);
        signal?.addEventListener('abort', done);
      });
    }
  };
  const text = (data: Uint8Array): string => new TextDecoder().decode(data);

  const makeBatch = (entries: Entry[], options: ReaderOptions): Batch => {
    const origin = new Map<StoredMessage, Entry>();
    const messages = entries.map((entry): StoredMessage => {
      entry.deliveries += 1;
      const message: StoredMessage = {
        id: `orders$1:${entry.sequence}`,
        station: options.station,
        partition: 1,
        sequence: entry.sequence,
        deliveryCount: entry.deliveries,
        timestamp: new Date(0),
        headers: {},
        data: entry.data,
      };
      origin.set(message, entry);
      return message;
    });
    station.held += messages.length;
    return {
      station: options.station,
      group: options.group,
      messages,
      maxDeliveries: options.maxDeliveries,
      ackWaitMs: options.ackWaitMs,
      async settle(message, given): Promise<Settled> {
        const entry = origin.get(message);
        if (entry === undefined) throw new Error('settled twice, or not of this batch');
        origin.delete(message);
        station.held -= 1;
        const outcome = withinDeliveries(given, message.deliveryCount, options.maxDeliveries);
        station.outcomes.push(outcome);
        await Promise.resolve();
        if (outcome.action === 'ack') {
          station.acked.push(text(entry.data));
          return 'acked';
        }
        if (outcome.action === 'deadLetter') {
          const { deliveryCount } = message;
          station.deadLetters.push({ body: text(entry.data.slice(0, 100)), reason: outcome.reason, deliveryCount });
          return 'deadLettered';
        }
        if (outcome.action === 'giveBack') entry.deliveries -= 1;
        entry.readyAt = performance.now() + (outcome.delayMs ?? 0);
        ready.push(entry);
        wake();
        return outcome.action === 'retry' ? 'retried' : 'givenBack';
      },
      async extend(some) {
        if (!some.every((message) => origin.has(message))) throw new Error('extended what is settled');
        station.extensions += 1;
      },
    };
  };

  const broker = {
    kind: 'jetstream',
    partitions: async () => [1],
    reader: (options: ReaderOptions) => {
      station.readers.push(options);
      return {
        async pull(pull: PullOptions): Promise<Batch> {
          if (!(pull.batchSize >= 1)) throw new Error(`a pull of ${pull.batchSize}`);
          station.pulls.push(pull.batchSize);
          if (station.errors.length > 0) throw station.errors.shift();
          await waitForOne(pull);
          return makeBatch(take(pull.batchSize), options);
        },
      };
    },
  } as unknown as Broker;

  const station: FakeStation = {
    broker,
    connection: { session: { broker: async () => broker } } as never,
    put,
    acked: [],
    deadLetters: [],
    pulls: [],
    outcomes: [],
    extensions: 0,
    held: 0,
    readers: [],
    errors: [],
  };
  return station;
}

export interface FakeInvocation {
  readonly functionName: string;
  readonly event: MemphisEvent;
  readonly bodies: readonly string[];
  readonly signal: AbortSignal;
}

/** What the double of a function does: its value is the answer; `functionError` and throwing are there too. */
export type FakeFunction = (invocation: FakeInvocation) => unknown;

export class FunctionError extends Error {
  readonly payload: unknown;
  constructor(payload: unknown) {
    super('function error');
    this.payload = payload;
  }
}

/** Answers with raw text instead of JSON. */
export class RawAnswer {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export interface FakeLambda {
  readonly lambda: { send(...args: never[]): unknown };
  readonly invocations: FakeInvocation[];
  running: number;
  mostRunning: number;
}

interface Command {
  readonly input: { readonly FunctionName: string; readonly Payload: Uint8Array; readonly InvocationType: string };
}

export function fakeLambda(run: FakeFunction = () => null): FakeLambda {
  const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value) ?? '');
  const send = async ({ input }: Command, { abortSignal }: { readonly abortSignal: AbortSignal }) => {
    const event = JSON.parse(new TextDecoder().decode(input.Payload)) as MemphisEvent;
    const bodies = event.messages.map(({ body }) => body);
    const invocation = { functionName: input.FunctionName, event, bodies, signal: abortSignal };
    fake.invocations.push(invocation);
    fake.running += 1;
    fake.mostRunning = Math.max(fake.mostRunning, fake.running);
    try {
      const value = await run(invocation);
      if (value instanceof RawAnswer) {
        // null: what the SDK makes of an answer without a byte (`lambda-client.test.ts`)
        return { StatusCode: 200, Payload: value.text === '' ? null : new TextEncoder().encode(value.text) };
      }
      return { StatusCode: 200, Payload: encode(value) };
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      return { StatusCode: 200, FunctionError: 'Unhandled', Payload: encode(error.payload) };
    } finally {
      fake.running -= 1;
    }
  };
  const fake: FakeLambda = { lambda: { send } as FakeLambda['lambda'], invocations: [], running: 0, mostRunning: 0 };
  return fake;
}

/** An error as the SDK throws it. */
export function sdkError(name: string, status?: number): Error {
  return Object.assign(new Error(`${name} from AWS`), {
    name,
    ...(status !== undefined && { $metadata: { httpStatusCode: status } }),
  });
}

/** A promise with its resolver outside. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

export const range = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index + 1));
