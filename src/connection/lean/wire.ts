/**
 * The wire under a session: dials, agrees on TLS, says CONNECT as soon as nothing speaks against it, answers what the server
 * asks, and ends once. No reconnect loop, no pings by itself; each timer belongs to a wait and ends with it.
 */

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { describeError, isMemphisError, MemphisError } from '../../model/errors.ts';
import { hostOf } from '../addresses.ts';
import { toIdentity } from '../memphis-connect.ts';
import { monotonicMs } from '../monotonic.ts';
import type { ClientIdentity, Connection, DialOptions, ServerInfo } from '../port.ts';
import { type Info, toServerInfo } from '../server-info.ts';
import { connectText } from './connect-text.ts';
import { type Deadlines, NEVER } from './deadlines.ts';
import { dialError, ServerError, trouble } from './errors.ts';
import type { LeanFrame } from './frame.ts';
import { parseInfo } from './info.ts';
import { Parser } from './parser.ts';
import { behindFirstLine, startTls } from './tls.ts';
import { Writer } from './writer.ts';

/** What a wire tells the session on it. */
export interface WireEvents {
  onFrame(sid: number, frame: LeanFrame): void;
  /** The server refuses one subject, and goes on. */
  onDenied(subject: string, error: MemphisError): void;
  /** What was put in this tick is written, or `wake` was called in it. */
  onTickEnd(): void;
  /** It is over: whoever waits must hear of it. `lost` as in `Wire`. */
  onEnd(lost: (attempted: string) => MemphisError): void;
}

/** What the port promises but for messages, and what messages need. */
export type Wire = Omit<Connection, 'leave' | 'publish' | 'publishAll' | 'request' | 'startLimit' | 'subscribe'> & {
  /** What the server takes at most, once it has said so. */
  readonly maxPayload: number;
  readonly put: Writer['put'];
  readonly wake: Writer['wake'];
  /** For what was under way. Where the server had not accepted the session, the next dial says what is wrong. */
  lost(attempted: string): MemphisError;
};

/** Ends a wait: with an error, or not. */
type End = (error?: Error) => void;

/** How long nothing of what was written before the end may move. */
const UNSENT_LIMIT_MS = 2_000;
const PING = 'PING\r\n';
const NOBODY: readonly string[] = [];
/** What libuv reads at once. */
const READ_BYTES = 65_536;

/** Begins to dial. Does not throw. */
export function openWire(options: DialOptions, limits: Deadlines, events: WireEvents): Wire {
  const { server, tls, early, credentials, certifiedName, timeoutMs } = options;
  const opened = Promise.withResolvers<void>();
  const accepted = Promise.withResolvers<void>();
  const info = Promise.withResolvers<ServerInfo>();
  const closed = Promise.withResolvers<Error | undefined>();
  // whoever needs them awaits them; nobody must be hurt by not doing so
  for (const { promise } of [opened, accepted, info]) promise.catch(() => {});
  const writer = new Writer(() => events.onTickEnd());
  const pings: { readonly sentAt: number; readonly end: End }[] = [];
  const now = () => ({ wall: Date.now(), monotonic: monotonicMs() });
  let raw: Socket | undefined;
  /** The same, or TLS over it. */
  let socket: Socket | undefined;
  let newest: Info | undefined;
  /** Bytes may be exchanged: TCP, and TLS where that is meant. */
  let isUp = false;
  let isOpen = false;
  let isVerified = false;
  let reason: MemphisError | undefined;
  let identity: ClientIdentity | undefined;

  const wire = {
    get identity() {
      identity ??= toIdentity(credentials);
      return identity;
    },
    opened: opened.promise,
    accepted: accepted.promise,
    info: info.promise,
    said: undefined as ServerInfo | undefined,
    closed: closed.promise,
    isAccepted: false,
    isClosed: false,
    isLeaving: false,
    peers: [] as readonly string[],
    heardAt: now(),
    rttMs: NEVER,
    maxPayload: NEVER,
    put: writer.put.bind(writer),
    wake: writer.wake.bind(writer),
    lost,
    async flush(limitMs: number): Promise<void> {
      if (wire.isClosed) throw lost('reach the server');
      return new Promise((resolve, reject) => {
        const late = `The server did not answer a ping within ${limitMs} ms.`;
        const stop = limits.start(limitMs, () => reject(new MemphisError('TIMEOUT', late)));
        const end: End = (error) => {
          stop();
          if (error === undefined) resolve();
          else reject(error);
        };
        pings.push({ sentAt: monotonicMs(), end });
        writer.put(PING);
      });
    },
    async close(): Promise<void> {
      if (wire.isClosed) return;
      writer.flush();
      end();
    },
  };

  function lost(attempted: string): MemphisError {
    if (reason?.retryable === false && wire.isAccepted) return reason;
    const words = `Could not ${attempted}: the connection has ended. The broker may have acted.`;
    return new MemphisError('CONNECTION_LOST', words, { cause: reason });
  }

  function fail(cause: Error): void {
    if (wire.isClosed) return;
    if (!wire.isAccepted) end(dialError(cause, options, isVerified));
    else if (isMemphisError(cause)) end(cause);
    // credentials that have expired or were revoked end a session too: whether there are others is for the next dial to say
    else end(new MemphisError('CONNECTION_LOST', `Could not keep the connection: ${describeError(cause)}.`, { cause }));
  }

  function end(why?: MemphisError): void {
    wire.isClosed = true;
    reason = why;
    limits.clear();
    if (why === undefined && isOpen) {
      socket?.end(() => raw?.destroySoon());
      // what a server does not take any more would keep the process alive
      raw?.setTimeout(UNSENT_LIMIT_MS, raw.destroy);
    } else {
      socket?.destroy();
      raw?.destroy();
    }
    const error = why ?? lost('connect');
    for (const { reject } of [opened, accepted, info]) reject(error);
    for (const { end: finish } of pings) finish(lost('reach the server'));
    events.onEnd(lost);
    closed.resolve(why);
  }

  const parser = new Parser({
    onMessage: (sid, frame) => wire.isClosed || events.onFrame(sid, frame),
    onLine(operation, text) {
      if (wire.isClosed) return;
      if (operation === 'INFO') return onInfo(parseInfo(text));
      if (operation === 'PING') writer.put('PONG\r\n');
      if (operation === '-ERR') onError(text);
      if (operation !== 'PONG') return;
      const answered = pings.shift();
      if (answered === undefined) return;
      wire.rttMs = Math.min(wire.rttMs, monotonicMs() - answered.sentAt);
      answered.end();
    },
  });

  /** @returns true: more may come */
  function read(chunk: Buffer): true {
    if (wire.isClosed) return true;
    wire.heardAt = now();
    try {
      parser.push(chunk);
    } catch (error) {
      fail(error as Error);
    }
    return true;
  }

  /** What came before the end is read first. */
  function watch(one: Socket, isOutermost: boolean): void {
    const onTrouble = (error: Error): void => void setImmediate(() => fail(error));
    one.on('error', onTrouble);
    for (const event of isOutermost ? ['end', 'close'] : ['close']) one.on(event, () => onTrouble(trouble('HUNG_UP')));
    socket = one;
  }

  function encrypt(inner: Duplex): void {
    const secure = startTls(inner, tls || {}, certifiedName ?? hostOf(server), () => {
      isVerified = true;
    });
    watch(secure, true);
    secure.on('data', read).on('secureConnect', up);
  }

  /** Goes on with CONNECT as soon as nothing speaks against it any more. */
  function up(): void {
    isUp = true;
    const hasNonce = credentials?.kind === 'nkey' || credentials?.kind === 'jwt';
    const mayGo = newest !== undefined || (early && tls !== undefined && !hasNonce);
    if (isOpen || !mayGo || socket === undefined) return;
    isOpen = true;
    writer.open(socket, connectText(options, wire, newest) + PING);
    const onAccepted: End = (error) => {
      if (error !== undefined) return;
      wire.isAccepted = true;
      endDialLimit();
      accepted.resolve();
    };
    pings.unshift({ sentAt: monotonicMs(), end: onAccepted });
    opened.resolve();
  }

  /** What does not fit between what was said in clear and what is meant here. */
  function objection({ tls_required }: Info, hasTls: boolean) {
    if (tls === false) return tls_required === true ? 'DEMANDS_TLS' : undefined;
    if (!tls || isUp) return undefined;
    if (tls.handshakeFirst === true) return 'IN_CLEAR';
    return hasTls ? undefined : 'NO_TLS';
  }

  /** @returns whether TLS begins behind it */
  function onInfo(said: Info): boolean {
    const isFirst = newest === undefined;
    const hasTls = said.tls_required === true || said.tls_available === true;
    const against = hasTls || tls ? objection(said, hasTls) : undefined;
    if (against !== undefined) throw trouble(against);
    newest = said;
    const inOurWords = toServerInfo(said);
    wire.said ??= inOurWords;
    wire.maxPayload = inOurWords.maxPayload;
    wire.isLeaving = said.ldm === true;
    wire.peers = said.connect_urls ? [said.connect_urls].flat().map(String) : NOBODY;
    if (!isFirst) return false;
    info.resolve(inOurWords); // once: Node is told of each resolve that comes after another one
    if (tls === undefined && hasTls && raw !== undefined) {
      encrypt(raw);
      return true;
    }
    if (isUp || tls === undefined) up();
    return false;
  }

  function onError(quoted: string): void {
    const text = quoted.replace(/^'|'$/g, '');
    if (!/^permissions violation/i.test(text)) throw new ServerError(text);
    const words = `The broker denies this user a subject: ${text}. Allow it, or use another user.`;
    events.onDenied(/"([^"]*)"/.exec(text)?.[1] ?? '', new MemphisError('PERMISSION_DENIED', words));
  }

  const endDialLimit = limits.start(timeoutMs, () => fail(new Error(`no answer within ${Math.round(timeoutMs)} ms`)));
  try {
    const port = Number(server.slice(server.lastIndexOf(':') + 1));
    // bytes come by one buffer that is read over and over: without the machinery of streams, whose first use takes long
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const onread = {
      buffer,
      callback: (size: number) => read(Buffer.from(buffer.subarray(0, size))),
    };
    const dialled = process
      .getBuiltinModule('node:net')
      .connect({ host: hostOf(server), port, noDelay: true, ...(!tls && { onread }) });
    raw = dialled;
    watch(dialled, !tls);
    dialled.on('connect', () => {
      wire.rttMs = monotonicMs() - wire.heardAt.monotonic;
      if (tls === false) up();
    });
    if (tls) encrypt(behindFirstLine(dialled, read));
  } catch (error) {
    fail(error as Error);
  }
  return wire;
}
