/** The connection port over the official client, `@nats-io/transport-node`. The only folder that names a NATS package. */

import type { Msg, NatsConnection, Subscription as NatsSubscription } from '@nats-io/transport-node';
import { isMemphisError, MemphisError } from '../../model/errors.ts';
import { toIdentity } from '../memphis-connect.ts';
import type { ClientIdentity, Connection, DialOptions, Frame, HeaderList, ServerInfo, Subscription } from '../port.ts';
import { startTimeLimit } from '../time-limit.ts';
import { dialNats, type Open } from './dial-nats.ts';
import { toMemphisError } from './errors.ts';

interface Waiting {
  readonly subject: string;
  resolve(frame: Frame): void;
  reject(error: Error): void;
}

function toFrame(msg: Msg): Frame {
  const headers: [string, string][] = [];
  for (const name of msg.headers?.keys() ?? []) {
    for (const value of msg.headers?.values(name) ?? []) headers.push([name, value]);
  }
  return {
    subject: msg.subject,
    reply: msg.reply ?? '',
    headers,
    status: msg.headers?.code ?? 0,
    statusText: msg.headers?.description ?? '',
    data: msg.data,
  };
}

function toInfo(nc: NatsConnection): ServerInfo {
  const info = (nc.info ?? {}) as unknown as Readonly<Record<string, unknown>>;
  return {
    serverName: String(info.server_name ?? ''),
    version: String(info.version ?? ''),
    maxPayload: Number(info.max_payload ?? 1_048_576),
    jetstream: info.jetstream === true,
    apiLevel: Number(info.api_lvl ?? 0),
    isMemphis: Object.hasOwn(info, 'connection_id'),
  };
}

const randomToken = (): string => Math.random().toString(36).slice(2).padEnd(11, '0');

class OfficialConnection implements Connection {
  readonly opened: Promise<void>;
  readonly accepted: Promise<void>;
  readonly info: Promise<ServerInfo>;
  readonly closed: Promise<Error | undefined>;
  readonly identity: ClientIdentity;
  #hasEnded = false;
  readonly #options: DialOptions;
  readonly #opening: Promise<Open>;
  /** Aborted by `close()`, which does not wait for a server that says nothing. */
  readonly #abandon = new AbortController();
  #open: Open | undefined;
  /** What was asked for before the session was up, in order. */
  #queued: ((open: Open) => void)[] = [];
  readonly #inbox = `_INBOX.${randomToken()}${randomToken()}`;
  #inboxes = 0;
  readonly #waiting = new Map<string, Waiting>();
  /** Set when this user may not listen for answers: no request can be answered then. */
  #deaf: Error | undefined;
  /** Listeners by inbox: what was published to be answered there, and how a refusal of that ends them. */
  readonly #listening = new Map<string, { asked?: string; end(error: Error): void }>();
  #lastError: Error | undefined;

  constructor(options: DialOptions) {
    this.#options = options;
    this.identity = toIdentity(options.credentials);
    this.#opening = this.#dial();
    this.info = this.#opening.then(({ nc }) => toInfo(nc));
    this.closed = this.#opening.then(
      async ({ nc }) => this.#end((await nc.closed()) ?? undefined),
      (error: Error) => this.#end(this.#abandon.signal.aborted ? undefined : error),
    );
    this.opened = this.accepted = this.#opening.then(() => {});
    this.opened.catch(() => {});
    this.info.catch(() => {}); // whoever needs it awaits it; nobody must be hurt by not doing so
  }

  async #dial(): Promise<Open> {
    const open = await dialNats(this.#options, this.identity, this.#abandon.signal);
    this.#open = open;
    open.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, msg) => (error ? this.#onDeaf(error) : this.#onReply(msg)), // no message beside an error
    });
    void this.#watch(open.nc);
    for (const task of this.#queued.splice(0)) task(open);
    return open;
  }

  get isClosed(): boolean {
    return this.#hasEnded || this.#open?.nc.isClosed() === true;
  }

  get isAccepted(): boolean {
    return this.#open !== undefined;
  }

  get infoNow(): ServerInfo | undefined {
    return this.#open === undefined ? undefined : toInfo(this.#open.nc);
  }

  heardAt = { wall: Date.now(), monotonic: performance.now() };
  rttMs = 50;

  get isLeaving(): boolean {
    return this.#open?.nc.info?.ldm === true;
  }

  get peers(): readonly string[] {
    return this.#open?.nc.info?.connect_urls ?? [];
  }

  /** Errors that the server reports beside the traffic: the requests they are about end with them. */
  async #watch(nc: NatsConnection): Promise<void> {
    for await (const status of nc.status()) {
      if (status.type !== 'error') continue;
      const error = toMemphisError(status.error, 'talk to the broker');
      this.#lastError = error;
      const subject = (status.error as { subject?: unknown }).subject;
      for (const [key, waiting] of this.#waiting) {
        if (waiting.subject !== subject) continue;
        this.#waiting.delete(key);
        waiting.reject(error);
      }
      for (const listener of this.#listening.values()) if (listener.asked === subject) listener.end(error);
    }
  }

  #onDeaf(reason: Error): void {
    const error = toMemphisError(reason, 'listen for answers');
    this.#deaf = error;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  #end(reason: Error | undefined): Error | undefined {
    this.#hasEnded = true;
    this.#queued = [];
    const error = reason === undefined ? this.#lastError : toMemphisError(reason, 'keep the connection');
    for (const waiting of this.#waiting.values()) waiting.reject(this.#lost('wait for an answer', error));
    this.#waiting.clear();
    for (const listener of [...this.#listening.values()]) listener.end(this.#lost('listen for messages', error));
    return error;
  }

  #lost(attempted: string, cause?: unknown): MemphisError {
    if (isMemphisError(cause) && !cause.retryable) return cause;
    return new MemphisError(
      'CONNECTION_LOST',
      `Could not ${attempted}: the connection has ended. The broker may have acted.`,
      {
        cause,
      },
    );
  }

  #run(task: (open: Open) => void): void {
    if (this.isClosed) throw this.#lost('write', this.#lastError);
    if (this.#open === undefined) this.#queued.push(task);
    else task(this.#open);
  }

  #onReply(msg: Msg): void {
    const key = msg.subject.slice(this.#inbox.length + 1);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return; // came after its time limit
    this.#waiting.delete(key);
    waiting.resolve(toFrame(msg));
  }

  publish(subject: string, data: Uint8Array, options: { reply?: string; headers?: HeaderList } = {}): void {
    const listener = options.reply === undefined ? undefined : this.#listening.get(options.reply);
    if (listener !== undefined) listener.asked = subject;
    this.#run(({ nats, nc }) => {
      const given = options.headers ?? [];
      const headers = given.length === 0 ? undefined : nats.headers();
      for (const [name, value] of given) headers?.append(name, value);
      try {
        nc.publish(subject, data, {
          ...(options.reply === undefined ? {} : { reply: options.reply }),
          ...(headers === undefined ? {} : { headers }),
        });
      } catch (error) {
        throw toMemphisError(error, `publish to ${subject}`);
      }
    });
  }

  request(subject: string, data: Uint8Array, options: { timeoutMs: number; headers?: HeaderList }): Promise<Frame> {
    if (this.#deaf !== undefined) return Promise.reject(this.#deaf);
    const key = (this.#inboxes++).toString(36);
    return new Promise<Frame>((resolve, reject) => {
      const endLimit = startTimeLimit(options.timeoutMs, () => {
        this.#waiting.delete(key);
        reject(
          new MemphisError(
            'TIMEOUT',
            `No answer on ${subject} within ${options.timeoutMs} ms. The broker may have acted.`,
          ),
        );
      });
      this.#waiting.set(key, {
        subject,
        resolve: (frame) => {
          endLimit();
          resolve(frame);
        },
        reject: (error) => {
          endLimit();
          reject(error);
        },
      });
      try {
        this.publish(subject, data, {
          reply: `${this.#inbox}.${key}`,
          ...(options.headers === undefined ? {} : { headers: options.headers }),
        });
      } catch (error) {
        this.#waiting.get(key)?.reject(error as Error);
        this.#waiting.delete(key);
      }
    });
  }

  subscribe(
    subject: string,
    options: { max?: number; onFrame(frame: Frame): void; onEnd?(error?: Error): void },
  ): Subscription {
    const name = subject === '' ? `_INBOX.${randomToken()}${randomToken()}` : subject;
    let ended = false;
    let inner: NatsSubscription | undefined;
    const end = (error?: Error): void => {
      if (ended) return;
      ended = true;
      this.#listening.delete(name);
      options.onEnd?.(error);
    };
    /** Set when the end is of our own doing: it must not be taken for the session's. */
    let isEnding = false;
    let left = options.max ?? Number.POSITIVE_INFINITY;
    const lost = (): Error => this.#lost(`listen on ${name}`, this.#lastError);
    this.#run(({ nc }) => {
      if (ended) return;
      try {
        inner = nc.subscribe(name, {
          ...(options.max === undefined ? {} : { max: options.max }),
          callback: (error, msg) => {
            if (error) return end(toMemphisError(error, `listen on ${name}`));
            left--;
            if (!ended) options.onFrame(toFrame(msg));
          },
        });
      } catch (error) {
        throw toMemphisError(error, `listen on ${name}`);
      }
      // the client closes subscriptions before it says that the session has ended
      void inner.closed.then(() => {
        if (!isEnding) end(left > 0 ? lost() : undefined);
      });
    });
    this.#listening.set(name, {
      end: (error) => {
        isEnding = true;
        inner?.unsubscribe();
        end(error);
      },
    });
    return {
      subject: name,
      drain: async (timeoutMs) => {
        if (ended) return;
        isEnding = true;
        if (inner === undefined) return end();
        let endLimit = (): void => {};
        const limit = new Promise<void>((resolve) => {
          endLimit = startTimeLimit(timeoutMs, resolve);
        });
        await Promise.race([inner.isClosed() ? undefined : inner.drain().catch(() => {}), limit]);
        endLimit();
        inner.unsubscribe();
        end(this.isClosed ? lost() : undefined);
      },
      end: () => {
        isEnding = true;
        inner?.unsubscribe();
        end();
      },
    };
  }

  async flush(timeoutMs: number): Promise<void> {
    let endLimit = (): void => {};
    const limit = new Promise<never>((_, reject) => {
      endLimit = startTimeLimit(timeoutMs, () =>
        reject(new MemphisError('TIMEOUT', `The server did not answer a ping within ${timeoutMs} ms.`)),
      );
    });
    const flushed = this.#opening.then(({ nc }) => nc.flush());
    flushed.catch(() => {}); // may reject after the limit
    // the client forgets about pings that are under way when the server hangs up
    const ended = this.closed.then((reason) => Promise.reject(reason));
    ended.catch(() => {});
    try {
      await Promise.race([flushed, limit, ended]);
    } catch (error) {
      throw isMemphisError(error) ? error : this.#lost('reach the server', error);
    } finally {
      endLimit();
    }
  }

  async close(): Promise<void> {
    if (this.#open === undefined) this.#abandon.abort();
    const open = await this.#opening.catch(() => undefined);
    await open?.nc.close();
    await this.closed;
  }
}

/** Opens a session through the official client. Returns at once; see `Dial`. */
export function openOfficial(options: DialOptions): Connection {
  return new OfficialConnection(options);
}
