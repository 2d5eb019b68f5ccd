/** A session that ends in the middle of a pull: what had come by then is handed over. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JetStreamBroker } from '../../../src/brokers/jetstream/broker.ts';
import { readersOf } from '../../../src/brokers/readers.ts';
import { Link } from '../../../src/connection/link.ts';
import type { Connection, Frame } from '../../../src/connection/port.ts';
import { startTimeLimit } from '../../../src/connection/time-limit.ts';
import { MemphisError } from '../../../src/model/errors.ts';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const frame = (part: Partial<Frame>): Frame => ({
  subject: '',
  reply: '',
  headers: [],
  status: 0,
  statusText: '',
  data: new Uint8Array(),
  ...part,
});

/** A session with one station and one durable: has nothing at first, then sends two of seven messages, and ends. */
class EndingConnection implements Connection {
  readonly identity = { connectionId: 'c', username: 'u' };
  readonly info = Promise.resolve({
    serverName: 's',
    version: '2.12.0',
    maxPayload: 1_000_000,
    jetstream: true,
    apiLevel: 0,
    isMemphis: false,
  });
  readonly said = undefined;
  readonly opened = Promise.resolve();
  readonly accepted = Promise.resolve();
  readonly isAccepted = true;
  readonly heardAt = { wall: Date.now(), monotonic: performance.now() };
  readonly rttMs = 1;
  readonly closed = new Promise<undefined>(() => {});
  isClosed = false;
  readonly isLeaving = false;
  readonly peers = [];
  readonly startLimit = startTimeLimit;
  #onFrame: (frame: Frame) => void = () => {};
  #onEnd: (error?: Error) => void = () => {};
  #pulls = 0;

  publish(subject: string): void {
    if (!subject.startsWith('$JS.API.CONSUMER.MSG.NEXT.')) return;
    if (++this.#pulls === 1) this.#onFrame(frame({ status: 404 }));
    else this.#sendAndEnd();
  }

  publishAll(): void {}

  #sendAndEnd(): void {
    for (const sequence of [1, 2]) {
      this.#onFrame(frame({ reply: `$JS.ACK.jobs$1.g.1.${sequence}.${sequence}.0.${7 - sequence}` }));
    }
    this.isClosed = true;
    this.#onEnd(new Error('ended'));
  }

  async request(subject: string): Promise<Frame> {
    const record = Buffer.from(bytes({ partitionsNumber: 1 })).toString('base64');
    const isRecord = subject.startsWith('$JS.API.STREAM.MSG.GET.');
    return frame({ data: bytes(isRecord ? { message: { data: record } } : { config: { ack_wait: 30_000_000_000 } }) });
  }

  subscribe(_subject: string, options: Parameters<Connection['subscribe']>[1]): ReturnType<Connection['subscribe']> {
    if (this.isClosed) throw new MemphisError('CONNECTION_LOST', 'ended');
    this.#onFrame = options.onFrame;
    this.#onEnd = options.onEnd ?? (() => {});
    return { subject: 'inbox', drain: async () => {}, end: () => {} };
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}

  async leave(): Promise<void> {}
}

test('messages that came before the session ended are handed over', async () => {
  let dials = 0;
  const link = new Link({
    servers: [{ server: 's:1', insistsOnTls: false }],
    access: ({ server }) => ({ server }),
    timeoutMs: 1_000,
    dial: () => {
      if (++dials > 1) throw new MemphisError('BROKER_REFUSED', 'dialled again');
      return new EndingConnection();
    },
    reconnect: true,
    maxReconnect: 1,
    reconnectIntervalMs: 1,
  });
  const broker = new JetStreamBroker(link);
  const reader = readersOf(broker).reader({ station: 'jobs', group: 'g', ackWaitMs: 30_000, maxDeliveries: 5 });
  assert.deepEqual((await reader.pull({ batchSize: 10, waitMs: 0 })).messages, []);
  const batch = await reader.pull({ batchSize: 10, waitMs: 0 });
  assert.deepEqual(
    batch.messages.map((message) => message.sequence),
    [1, 2],
  );
});
