/** A NATS session of our own: one socket, no reconnect loop, no pings by itself; each timer belongs to a wait and ends with it. */

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { describeError, isMemphisError, MemphisError } from '../../model/errors.ts';
import { toIdentity } from '../memphis-connect.ts';
import { monotonicMs } from '../monotonic.ts';
import type { ClientIdentity, Connection, DialOptions, Frame, HeaderList, ServerInfo, Subscription } from '../port.ts';
import { connectText } from './connect-text.ts';
import { type Deadline, Deadlines } from './deadlines.ts';
import { dialError, ServerError, trouble } from './errors.ts';
import { VERSION } from './frame.ts';
import { type Info, parseInfo, toServerInfo } from './info.ts';
import { Parser, type Sink } from './parser.ts';
import { behindFirstLine, startTls } from './tls.ts';
import { Writer } from './writer.ts';

/** Ends a wait: with an error, or with what was waited for. */
type End<T> = (error?: Error, value?: T) => void;

interface Waiting {
  readonly subject: string;
  readonly end: End<Frame>;
}

interface Listener {
  readonly subject: string;
  /** What was published to be answered here: a refusal of that ends it. */
  asked?: string;
  onFrame(frame: Frame): void;
  end(error?: Error): void;
}

interface Ping {
  readonly sentAt: number;
  readonly end: End<void>;
}

/** All replies come on one subscription. */
const REPLIES = 1;
/** By then all that is allowed has been answered, mostly. */
const UNNAMED_AFTER_MS = 300;
const PING = 'PING\r\n';
const randomToken = (): string => Math.random().toString(36).slice(2).padEnd(11, '0');
const hostOf = (server: string): string => server.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
const isInvalid = (subject: string): boolean => subject === '' || /\s/.test(subject);

function toBlock(headers: HeaderList): string {
  if (headers.length === 0) return '';
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  if (lines.some((line) => /[\r\n]/.test(line)))
    throw new MemphisError('INVALID_MESSAGE', 'A header holds a line break.');
  return `${[VERSION, ...lines].join('\r\n')}\r\n\r\n`;
}

class LeanConnection implements Connection, Sink {
  readonly identity: ClientIdentity;
  readonly opened: Promise<void>;
  readonly accepted: Promise<void>;
  readonly info: Promise<ServerInfo>;
  readonly closed: Promise<Error | undefined>;
  isAccepted = false;
  isClosed = false;
  infoNow: ServerInfo | undefined;
  heardAt = { wall: Date.now(), monotonic: monotonicMs() };
  rttMs = Number.POSITIVE_INFINITY;

  readonly #options: DialOptions;
  readonly #opened = Promise.withResolvers<void>();
  readonly #accepted = Promise.withResolvers<void>();
  readonly #info = Promise.withResolvers<ServerInfo>();
  readonly #closed = Promise.withResolvers<Error | undefined>();
  readonly #parser = new Parser(this);
  readonly #writer = new Writer();
  readonly #limits = new Deadlines();
  /** Of the dial. */
  readonly #limit: Deadline;
  readonly #inbox = `_INBOX.${randomToken()}${randomToken()}.`;
  readonly #waiting = new Map<string, Waiting>();
  readonly #listening = new Map<number, Listener>();
  readonly #pings: Ping[] = [];
  #lastKey = 0;
  #lastSid = REPLIES;
  #raw: Socket | undefined;
  /** The same, or TLS over it. */
  #socket: Socket | undefined;
  #newest: Info | undefined;
  /** Bytes may be exchanged: TCP, and TLS where that is meant. */
  #isUp = false;
  #isOpen = false;
  #isVerified = false;
  #hasReplies = false;
  /** Why replies cannot be listened for. */
  #deaf: MemphisError | undefined;
  #reason: MemphisError | undefined;

  constructor(options: DialOptions) {
    this.#options = options;
    this.identity = toIdentity(options.credentials);
    this.opened = this.#opened.promise;
    this.accepted = this.#accepted.promise;
    this.info = this.#info.promise;
    this.closed = this.#closed.promise;
    // whoever needs them awaits them; nobody must be hurt by not doing so
    for (const promise of [this.opened, this.accepted, this.info]) promise.catch(() => {});
    this.#limit = {
      at: monotonicMs() + options.timeoutMs,
      late: () => this.#fail(new Error(`no answer within ${Math.round(options.timeoutMs)} ms`)),
    };
    this.#limits.add(this.#limit);
    this.#guard(() => this.#dial());
  }

  get isLeaving(): boolean {
    return this.#newest?.ldm === true;
  }

  get peers(): readonly string[] {
    return this.#newest?.connect_urls ?? [];
  }

  /** Runs what may throw; the session ends when it does. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #dial(): void {
    const { server, tls } = this.#options;
    const startedAt = monotonicMs();
    const socket = process.getBuiltinModule('node:net').connect({
      host: hostOf(server),
      port: Number(/\d+$/.exec(server)?.[0]),
      noDelay: true,
    });
    this.#raw = socket;
    this.#watch(socket, !tls);
    socket.on('connect', () => {
      this.rttMs = monotonicMs() - startedAt;
      if (tls === false) this.#up();
    });
    if (tls) this.#encrypt(behindFirstLine(socket, this.#read));
    else socket.on('data', this.#read);
  }

  /** What came before the end is read first. */
  #watch(socket: Socket, isOutermost: boolean): void {
    const fail = (error: Error): void => void setImmediate(() => this.#fail(error));
    socket.on('error', fail);
    for (const event of isOutermost ? ['end', 'close'] : ['close']) socket.on(event, () => fail(trouble('HUNG_UP')));
    this.#socket = socket;
  }

  readonly #read = (chunk: Buffer): void => {
    if (this.isClosed) return;
    this.heardAt = { wall: Date.now(), monotonic: monotonicMs() };
    this.#guard(() => this.#parser.push(chunk));
  };

  #encrypt(inner: Duplex): void {
    const { tls, server, certifiedName } = this.#options;
    const onVerified = (): void => {
      this.#isVerified = true;
    };
    const socket = startTls(inner, tls || {}, certifiedName ?? hostOf(server), onVerified);
    this.#watch(socket, true);
    socket.on('data', this.#read);
    socket.on('secureConnect', () => this.#up());
  }

  /** Goes on with CONNECT as soon as nothing speaks against it any more. */
  #up(): void {
    const { credentials, tls, early } = this.#options;
    this.#isUp = true;
    const hasNonce = credentials?.kind === 'nkey' || credentials?.kind === 'jwt';
    const mayGo = this.#newest !== undefined || (early === true && tls !== undefined && !hasNonce);
    if (this.#isOpen || !mayGo || this.#socket === undefined) return;
    this.#isOpen = true;
    this.#writer.open(this.#socket, `${connectText(this.#options, this.identity, this.#newest)}${PING}`);
    this.#pings.unshift({
      sentAt: monotonicMs(),
      end: (error) => {
        if (error !== undefined) return;
        this.isAccepted = true;
        this.#limits.delete(this.#limit);
        this.#accepted.resolve();
      },
    });
    this.#opened.resolve();
  }

  onLine(operation: string, text: string): boolean | undefined {
    if (this.isClosed) return;
    if (operation === 'INFO') return this.#onInfo(parseInfo(text));
    if (operation === 'PING') this.#writer.put('PONG\r\n');
    if (operation === '-ERR') this.#onError(text.replace(/^'|'$/g, ''));
    if (operation !== 'PONG') return;
    const ping = this.#pings.shift();
    if (ping === undefined) return;
    this.rttMs = Math.min(this.rttMs, monotonicMs() - ping.sentAt);
    ping.end();
  }

  /** @returns whether TLS begins behind it */
  #onInfo(info: Info): boolean {
    const { tls } = this.#options;
    const isFirst = this.#newest === undefined;
    const hasTls = info.tls_required === true || info.tls_available === true;
    if (tls && !this.#isUp) {
      if (tls.handshakeFirst === true) throw trouble('IN_CLEAR');
      if (!hasTls) throw trouble('NO_TLS');
    }
    if (tls === false && info.tls_required === true) throw trouble('DEMANDS_TLS');
    this.#newest = info;
    this.infoNow = toServerInfo(info);
    this.#info.resolve(this.infoNow);
    if (!isFirst) return false;
    if (tls === undefined && hasTls && this.#raw !== undefined) {
      this.#encrypt(this.#raw.removeAllListeners('data'));
      return true;
    }
    if (this.#isUp || tls === undefined) this.#up();
    return false;
  }

  #onError(text: string): void {
    if (!/^permissions violation/i.test(text)) {
      this.#fail(new ServerError(text));
      return;
    }
    const subject = /"([^"]*)"/.exec(text)?.[1] ?? '';
    const error = new MemphisError(
      'PERMISSION_DENIED',
      `The broker denies this user a subject: ${text}. Allow it, or use another user.`,
    );
    if (subject === '') {
      // a Memphis broker does not say which: what was asked before and stays without an answer (memphis-wire 1.6)
      const asked = [...this.#waiting.entries()];
      setTimeout(() => {
        for (const [key, waiting] of asked) if (this.#waiting.get(key) === waiting) waiting.end(error);
      }, UNNAMED_AFTER_MS).unref();
      return;
    }
    if (subject.startsWith(this.#inbox)) {
      this.#deaf = error;
      for (const waiting of this.#waiting.values()) waiting.end(error);
    }
    for (const waiting of this.#waiting.values()) if (waiting.subject === subject) waiting.end(error);
    for (const listener of this.#listening.values()) {
      if (listener.subject === subject || listener.asked === subject) listener.end(error);
    }
  }

  onMessage(sid: number, frame: Frame): void {
    if (this.isClosed) return;
    if (sid !== REPLIES) {
      this.#listening.get(sid)?.onFrame(frame);
      return;
    }
    const { subject } = frame;
    // without a wait it came after its time limit
    if (subject.startsWith(this.#inbox)) this.#waiting.get(subject.slice(this.#inbox.length))?.end(undefined, frame);
  }

  #fail(cause: Error): void {
    if (!this.isClosed) this.#end(this.#toReason(cause));
  }

  /** Credentials that have expired or were revoked end a session: whether there are others now is for the next dial to say. */
  #toReason(cause: Error): MemphisError {
    if (!this.isAccepted) return dialError(cause, this.#options, this.#isVerified);
    if (isMemphisError(cause)) return cause;
    return new MemphisError('CONNECTION_LOST', `Could not keep the connection: ${describeError(cause)}.`, { cause });
  }

  #end(reason?: MemphisError): void {
    this.isClosed = true;
    this.#reason = reason;
    this.#limits.clear();
    const [raw, socket] = [this.#raw, this.#socket];
    if (reason === undefined && this.#isOpen) socket?.end(() => raw?.destroySoon());
    else {
      socket?.destroy();
      raw?.destroy();
    }
    const lost = reason ?? this.#lost('connect');
    for (const { reject } of [this.#opened, this.#accepted, this.#info]) reject(lost);
    for (const waiting of this.#waiting.values()) waiting.end(this.#lost('wait for an answer'));
    for (const listener of this.#listening.values()) listener.end(this.#lost('listen for messages'));
    for (const ping of this.#pings) ping.end(this.#lost('reach the server'));
    this.#closed.resolve(reason);
  }

  /** For what was under way. Where the server had not accepted the session, the next dial says what is wrong. */
  #lost(attempted: string): MemphisError {
    const cause = this.#reason;
    if (cause?.retryable === false && this.isAccepted) return cause;
    const words = `Could not ${attempted}: the connection has ended. The broker may have acted.`;
    return new MemphisError('CONNECTION_LOST', words, { cause });
  }

  publish(subject: string, data: Uint8Array, options: { reply?: string; headers?: HeaderList | undefined } = {}): void {
    const { reply = '', headers = [] } = options;
    if (this.isClosed) throw this.#lost('write');
    if (isInvalid(subject) || /\s/.test(reply))
      throw new MemphisError('INVALID_MESSAGE', 'No message can go to such a subject.');
    for (const listener of this.#listening.values()) if (listener.subject === reply) listener.asked = subject;
    const to = reply === '' ? subject : `${subject} ${reply}`;
    const block = toBlock(headers);
    const blockSize = Buffer.byteLength(block);
    const size = blockSize + data.length;
    // the server would end the session over it
    const most = this.infoNow?.maxPayload ?? size;
    if (size > most) {
      throw new MemphisError('PAYLOAD_TOO_LARGE', `A message of ${size} bytes is too large: the server takes ${most}.`);
    }
    const line = block === '' ? `PUB ${to} ${size}` : `HPUB ${to} ${blockSize} ${size}`;
    this.#writer.put(`${line}\r\n${block}`, data, '\r\n');
  }

  /**
   * A wait that ends once, however it ends.
   *
   * @param begin what is done so that it ends; the wait fails with what it throws
   * @param over told of the end
   */
  #wait<T>(timeoutMs: number, late: string, begin: (end: End<T>) => void, over?: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const end: End<T> = (error, value) => {
        this.#limits.delete(limit);
        over?.();
        if (error === undefined) resolve(value as T);
        else reject(error);
      };
      const limit = { at: monotonicMs() + timeoutMs, late: () => end(new MemphisError('TIMEOUT', late)) };
      begin(end);
      this.#limits.add(limit);
    });
  }

  request(subject: string, data: Uint8Array, options: { timeoutMs: number; headers?: HeaderList }): Promise<Frame> {
    const { timeoutMs, headers } = options;
    if (this.#deaf !== undefined) return Promise.reject(this.#deaf);
    const key = (++this.#lastKey).toString(36);
    const begin = (end: End<Frame>): void => {
      if (!this.#hasReplies) this.#writer.put(`SUB ${this.#inbox}* ${REPLIES}\r\n`);
      this.#hasReplies = true;
      this.publish(subject, data, { reply: this.#inbox + key, headers });
      this.#waiting.set(key, { subject, end });
    };
    const late = `No answer on ${subject} within ${timeoutMs} ms. The broker may have acted.`;
    return this.#wait(timeoutMs, late, begin, () => this.#waiting.delete(key));
  }

  subscribe(
    subject: string,
    { max = 0, onFrame, onEnd }: { max?: number; onFrame(frame: Frame): void; onEnd?(error?: Error): void },
  ): Subscription {
    if (this.isClosed) throw this.#lost('listen');
    const name = subject === '' ? `_INBOX.${randomToken()}${randomToken()}` : subject;
    if (isInvalid(name)) throw new MemphisError('INVALID_MESSAGE', 'Nobody can listen on such a subject.');
    const sid = ++this.#lastSid;
    let left = max;
    const end = (error?: Error): void => {
      if (this.#listening.delete(sid)) onEnd?.(error);
    };
    const unsubscribe = (): void => {
      if (this.#listening.has(sid) && !this.isClosed) this.#writer.put(`UNSUB ${sid}\r\n`);
    };
    this.#listening.set(sid, {
      subject: name,
      onFrame: (frame) => {
        try {
          onFrame(frame);
        } catch (error) {
          unsubscribe();
          end(error as Error);
        }
        if (--left === 0) end();
      },
      end,
    });
    this.#writer.put(`SUB ${name} ${sid}\r\n${max > 0 ? `UNSUB ${sid} ${max}\r\n` : ''}`);
    return {
      subject: name,
      drain: async (timeoutMs) => {
        unsubscribe();
        await this.flush(timeoutMs).catch(() => {});
        end();
      },
      end: () => {
        unsubscribe();
        end();
      },
    };
  }

  async flush(timeoutMs: number): Promise<void> {
    if (this.isClosed) throw this.#lost('reach the server');
    const late = `The server did not answer a ping within ${timeoutMs} ms.`;
    return this.#wait(timeoutMs, late, (end) => {
      this.#pings.push({ sentAt: monotonicMs(), end });
      this.#writer.put(PING);
    });
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.#writer.flush();
    this.#end();
  }
}

/** Opens a session of our own. Returns at once; see `Dial`. */
export const openLean = (options: DialOptions): Connection => new LeanConnection(options);
