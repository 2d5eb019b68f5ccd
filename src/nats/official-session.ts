/** The connection port over a connection of the official client. It lasts until that one is disconnected, or is closed. */

import { toIdentity } from '../connection/memphis-connect.ts';
import { monotonicMs } from '../connection/monotonic.ts';
import type {
  Asking,
  Connection,
  Frame,
  HeaderLines,
  HeaderList,
  RequestOptions,
  ServerInfo,
  Subscription,
} from '../connection/port.ts';
import { toServerInfo } from '../connection/server-info.ts';
import { startTimeLimit } from '../connection/time-limit.ts';
import { isMemphisError, MemphisError } from '../model/errors.ts';
import { toMemphisError } from './errors.ts';
import type { OfficialConnection, OfficialMessage, OfficialSubscription } from './official-types.ts';

interface Waiting {
  readonly subject: string;
  answered(frame: Frame): void;
  reject(error: Error): void;
}

interface Listener {
  /** What was published to be answered here: a refusal of that ends it. */
  asked?: string;
  end(error: Error): void;
}

function toFrame({ subject, reply = '', headers, data }: OfficialMessage): Frame {
  const list = (headers?.keys() ?? []).flatMap((name) =>
    (headers?.values(name) ?? []).map((value) => [name, value] as const),
  );
  const { code = 0, description = '' } = headers ?? {};
  return { subject, reply, headers: list, status: code, statusText: description, data };
}

const randomToken = (): string => Math.random().toString(36).slice(2).padEnd(11, '0');

/** The client asks a header block for its bytes, and for nothing else. */
const toBlock = (lines: HeaderLines): { readonly encode: () => Uint8Array } => ({
  encode: () => new TextEncoder().encode(`NATS/1.0\r\n${lines}\r\n`),
});

function toLines(headers: HeaderList): HeaderLines {
  if (headers.some((header) => /[\r\n]/.test(header.join('')))) {
    throw new MemphisError('INVALID_MESSAGE', 'A header holds a line break.');
  }
  return headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

export class OfficialSession implements Connection {
  readonly identity = toIdentity(undefined);
  readonly info: Promise<ServerInfo>;
  readonly opened: Promise<void>;
  readonly accepted: Promise<void>;
  readonly closed: Promise<Error | undefined>;
  /** The addresses are the client's own business. */
  readonly peers = [];
  readonly startLimit = startTimeLimit;
  isAccepted = false;
  said: ServerInfo | undefined;
  heardAt = { wall: Date.now(), monotonic: monotonicMs() };
  rttMs = Number.POSITIVE_INFINITY;

  #isLeaving = false;
  readonly #nc: OfficialConnection;
  readonly #inbox = `_INBOX.${randomToken()}${randomToken()}`;
  readonly #replies: OfficialSubscription | undefined;
  readonly #waiting = new Map<string, Waiting>();
  /** By inbox. */
  readonly #listening = new Map<string, Listener>();
  readonly #onClosed: (reason?: Error) => void;
  #hasEnded = false;
  #inboxes = 0;
  #deaf: Error | undefined;
  #reason: Error | undefined;

  /** @param timeoutMs how long a connection that is down may take to come back */
  constructor(nc: OfficialConnection, timeoutMs: number) {
    this.#nc = nc;
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.closed = promise;
    this.#onClosed = resolve;
    this.accepted = this.#open(timeoutMs);
    this.opened = this.accepted;
    this.info = this.accepted.then(() => {
      this.said = toServerInfo(nc.info ?? {});
      return this.said;
    });
    for (const one of [this.accepted, this.info]) one.catch(() => {}); // whoever needs them awaits them
    if (nc.isClosed()) return;
    this.#replies = nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => (error ? this.#onDeaf(error) : this.#onReply(message)), // no message beside an error
    });
    void this.#watch();
    void nc.closed().then((reason) => this.#end(reason instanceof Error ? reason : new Error('it was closed')));
  }

  async #open(timeoutMs: number): Promise<void> {
    try {
      await this.flush(timeoutMs);
      this.isAccepted = true;
    } catch (cause) {
      this.#end(cause as Error);
      const words = 'Could not use the connection that was handed in: it is closed, or does not answer.';
      throw new MemphisError('CONNECT_FAILED', words, { cause });
    }
  }

  get isClosed(): boolean {
    return this.#hasEnded || this.#nc.isClosed();
  }

  get isLeaving(): boolean {
    return this.#isLeaving || (this.#nc.info as { readonly ldm?: boolean } | undefined)?.ldm === true;
  }

  set isLeaving(isLeaving: boolean) {
    this.#isLeaving = isLeaving;
  }

  #heard(): void {
    this.heardAt = { wall: Date.now(), monotonic: monotonicMs() };
  }

  /** Errors that the server reports beside the traffic end the requests they are about; a lost socket ends all. */
  async #watch(): Promise<void> {
    for await (const { type, error: cause } of this.#nc.status()) {
      if (this.#hasEnded) return;
      if (type === 'disconnect') this.#end(new Error('it was disconnected'));
      if (type !== 'error') continue;
      const error = toMemphisError(cause, 'talk to the broker');
      const { subject } = cause as { readonly subject?: unknown };
      for (const waiting of this.#waiting.values()) if (waiting.subject === subject) waiting.reject(error);
      for (const [name, listener] of this.#listening) {
        if (listener.asked === subject || name === subject) listener.end(error);
      }
    }
  }

  #onDeaf(reason: Error): void {
    this.#deaf = toMemphisError(reason, 'listen for answers');
    for (const waiting of this.#waiting.values()) waiting.reject(this.#deaf);
  }

  #onReply(message: OfficialMessage): void {
    this.#heard();
    this.#waiting.get(message.subject.slice(this.#inbox.length + 1))?.answered(toFrame(message)); // else it came too late
  }

  #end(reason?: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#reason = reason;
    if (!this.#nc.isClosed()) this.#replies?.unsubscribe();
    for (const waiting of this.#waiting.values()) waiting.reject(this.#lost('wait for an answer'));
    for (const listener of this.#listening.values()) listener.end(this.#lost('listen for messages'));
    this.#onClosed(reason === undefined ? undefined : toMemphisError(reason, 'keep the connection'));
  }

  #lost(attempted: string): MemphisError {
    const words = `Could not ${attempted}: the connection has ended. The broker may have acted.`;
    return new MemphisError('CONNECTION_LOST', words, { cause: this.#reason });
  }

  publishAll(subjects: readonly string[], text: string): void {
    const data = Buffer.from(text);
    for (const subject of subjects) this.publish(subject, data);
  }

  publish(
    subject: string,
    data: Uint8Array,
    options: { reply?: string; headers?: HeaderList | HeaderLines } = {},
  ): void {
    const { reply, headers = '' } = options;
    if (this.isClosed) throw this.#lost('write');
    const listener = reply === undefined ? undefined : this.#listening.get(reply);
    if (listener !== undefined) listener.asked = subject;
    const lines = typeof headers === 'string' ? headers : toLines(headers);
    try {
      this.#nc.publish(subject, data, {
        ...(reply === undefined ? {} : { reply }),
        ...(lines === '' ? {} : { headers: toBlock(lines) }),
      });
    } catch (error) {
      throw toMemphisError(error, `publish to ${subject}`);
    }
  }

  request<T>(subject: string, data: Uint8Array, options: RequestOptions | Asking<T>): Promise<T> {
    const { timeoutMs, headers = '' } = options;
    if (this.#deaf !== undefined) return Promise.reject(this.#deaf);
    const key = (this.#inboxes++).toString(36);
    return new Promise<T>((resolve, reject) => {
      this.publish(subject, data, { reply: `${this.#inbox}.${key}`, headers });
      const endLimit = startTimeLimit(timeoutMs, () =>
        waiting.reject(
          new MemphisError('TIMEOUT', `No answer on ${subject} within ${timeoutMs} ms. The broker may have acted.`),
        ),
      );
      const over = (): void => {
        endLimit();
        this.#waiting.delete(key);
      };
      const waiting: Waiting = {
        subject,
        answered: (frame) => {
          over();
          try {
            resolve('read' in options ? options.read(frame) : (frame as never));
          } catch (error) {
            reject(error);
          }
        },
        reject: (error) => {
          over();
          reject(error);
        },
      };
      this.#waiting.set(key, waiting);
    });
  }

  subscribe(
    subject: string,
    options: { max?: number; onFrame(frame: Frame): void; onEnd?(error?: Error): void },
  ): Subscription {
    if (this.isClosed) throw this.#lost('listen');
    const name = subject === '' ? `_INBOX.${randomToken()}${randomToken()}` : subject;
    const { max, onFrame, onEnd } = options;
    let hasEnded = false;
    const end = (error?: Error): void => {
      if (hasEnded) return;
      hasEnded = true;
      this.#listening.delete(name);
      onEnd?.(error);
    };
    let left = max ?? Number.POSITIVE_INFINITY;
    const onMessage = (error: Error | null, message: OfficialMessage): void => {
      if (error) {
        end(toMemphisError(error, `listen on ${name}`));
        return;
      }
      this.#heard();
      try {
        if (!hasEnded) onFrame(toFrame(message));
      } catch (thrown) {
        inner.unsubscribe();
        end(thrown as Error);
      }
      if (--left === 0) end();
    };
    let inner: OfficialSubscription;
    try {
      inner = this.#nc.subscribe(name, { ...(max === undefined ? {} : { max }), callback: onMessage });
    } catch (error) {
      throw toMemphisError(error, `listen on ${name}`);
    }
    const stop = (): void => {
      if (!this.#nc.isClosed()) inner.unsubscribe();
    };
    this.#listening.set(name, {
      end: (error) => {
        stop();
        end(error);
      },
    });
    return {
      subject: name,
      drain: async (timeoutMs) => {
        if (hasEnded) return;
        let endLimit = (): void => {};
        const limit = new Promise<void>((resolve) => {
          endLimit = startTimeLimit(timeoutMs, resolve);
        });
        // the server answers it as it answers a ping
        const drained = (): Promise<void> =>
          inner.drain().then(
            () => this.#heard(),
            () => {},
          );
        await Promise.race([inner.isClosed() ? undefined : drained(), limit, this.closed]);
        endLimit();
        stop();
        end(this.isClosed ? this.#lost('listen for messages') : undefined);
      },
      end: () => {
        stop();
        end();
      },
    };
  }

  async flush(timeoutMs: number): Promise<void> {
    if (this.isClosed) throw this.#lost('reach the server');
    const startedAt = monotonicMs();
    let endLimit = (): void => {};
    const limit = new Promise<never>((_, reject) => {
      endLimit = startTimeLimit(timeoutMs, () =>
        reject(new MemphisError('TIMEOUT', `The server did not answer a ping within ${timeoutMs} ms.`)),
      );
    });
    const flushed = this.#nc.flush();
    flushed.catch(() => {}); // may reject after the limit
    // the client forgets about pings that are under way when the server hangs up
    const ended = this.closed.then(() => Promise.reject(this.#lost('reach the server')));
    ended.catch(() => {});
    try {
      await Promise.race([flushed, limit, ended]);
      this.rttMs = Math.min(this.rttMs, monotonicMs() - startedAt);
      this.#heard();
    } catch (error) {
      throw isMemphisError(error) ? error : this.#lost('reach the server');
    } finally {
      endLimit();
    }
  }

  leave(): Promise<void> {
    return this.close();
  }

  async close(): Promise<void> {
    this.#end();
  }
}
