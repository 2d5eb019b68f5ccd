/** A NATS session of our own: messages over a wire. All replies come on one subscription. */

import { MemphisError } from '../../model/errors.ts';
import type { Asking, Connection, DialOptions, Frame, HeaderLines, HeaderList, RequestOptions } from '../port.ts';
import { Deadlines } from './deadlines.ts';
import { VERSION } from './frame.ts';
import { Replies } from './replies.ts';
import { openWire } from './wire.ts';

interface Listener {
  readonly subject: string;
  /** What was published to be answered here: a refusal of that ends it. */
  asked?: string;
  /** Frames until it ends by itself; 0 or less: it does not. */
  left: number;
  onFrame(frame: Frame): void;
  end(error?: Error): void;
}

const REPLIES = 1;
/** So many subjects are written as one text. */
const AT_ONCE = 100;
/** What a header block has beside its lines: the one with the version, and the empty one. */
const BLOCK_FRAME_BYTES = VERSION.length + 4;
/** How long a slow session may take over what it still carries. */
const LEAVE_LIMIT_MS = 1_000;

function randomToken(): string {
  return Math.random().toString(36).slice(2);
}

function refuse(words: string): never {
  throw new MemphisError('INVALID_MESSAGE', `${words}.`);
}

function tooLarge(size: number, maxSize: number): MemphisError {
  return new MemphisError('PAYLOAD_TOO_LARGE', `A message of ${size} bytes is too large: the server takes ${maxSize}.`);
}

/** What is no subject could be a line of the protocol. No expression: its first uses cost a cold start more. */
function check(subject: string): void {
  for (const blank of ' \t\r\n') {
    if (subject === '' || subject.includes(blank)) refuse('A subject is empty or holds a blank');
  }
}

function toLines(headers: HeaderList): HeaderLines {
  let lines = '';
  for (const [name, value] of headers) {
    if (/[\r\n]/.test(name + value)) refuse('A header holds a line break');
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

function hear(listener: Listener | undefined, frame: Frame): void {
  if (!listener) return;
  try {
    listener.onFrame(frame);
  } catch (error) {
    listener.end(error as Error);
  }
  if (--listener.left === 0) listener.end();
}

/** Opens a session of our own. Returns at once; see `Dial`. */
export function openLean(options: DialOptions): Connection {
  const own = `_INBOX.${randomToken()}${randomToken()}`;
  const inbox = `${own}.`;
  const listening = new Map<number, Listener>();
  let lastSid = REPLIES;
  let hasReplies = false;
  /** The subject that was asked last. */
  let asked: string | undefined;
  /** Why replies cannot be listened for. */
  let deaf: MemphisError | undefined;
  /** Nothing is begun on it any more: it was left, or has ended. */
  let isOver = false;

  const limits = new Deadlines(() => wire.wake());
  const replies = new Replies(limits, () => wire.wake());
  // it may end before this returns
  const wire = openWire(options, limits, {
    onFrame(sid, frame) {
      if (sid === REPLIES) return replies.take(Number(frame.subject.slice(inbox.length)), frame);
      hear(listening.get(sid), frame);
    },
    onDenied(subject, error) {
      if (subject === '') return replies.failOne(error);
      if (subject.startsWith(inbox)) deaf = error;
      replies.fail(error, deaf === undefined ? (one) => one.subject === subject : undefined);
      for (const one of listening.values()) if (one.subject === subject || one.asked === subject) one.end(error);
    },
    onTickEnd() {
      replies.rest();
      limits.rest();
    },
    onEnd(lost) {
      isOver = true;
      replies.fail(lost('wait for an answer'));
      for (const one of listening.values()) one.end(lost('listen for messages'));
    },
  });

  /** @throws as `publish`: what is put behind the end would be lost without a word */
  function put(text: string, data?: Uint8Array): void {
    if (isOver) throw wire.lost('write');
    wire.put(text, data);
  }

  /** @param to the subject, and behind a blank where an answer goes */
  function write(to: string, data: Uint8Array, headers: HeaderList | HeaderLines): void {
    const lines = typeof headers === 'string' ? headers : toLines(headers);
    const blockSize = lines === '' ? 0 : Buffer.byteLength(lines) + BLOCK_FRAME_BYTES;
    const size = blockSize + data.length;
    // the server would end the session over it
    if (size > wire.maxPayload) throw tooLarge(size, wire.maxPayload);
    put(lines === '' ? `PUB ${to} ${size}\r\n` : `HPUB ${to} ${blockSize} ${size}\r\n${VERSION}\r\n${lines}\r\n`, data);
  }

  const publish: Connection['publish'] = (subject, data, { reply = '', headers = '' } = {}) => {
    check(subject);
    if (reply !== '') {
      check(reply);
      for (const one of listening.values()) if (one.subject === reply) one.asked = subject;
    }
    write(reply === '' ? subject : `${subject} ${reply}`, data, headers);
  };

  const publishAll: Connection['publishAll'] = (subjects, text) => {
    const end = ` ${text.length}\r\n${text}\r\n`;
    // few texts: a put for each subject would cost more than all else
    for (let at = 0; at < subjects.length; at += AT_ONCE) {
      put(`PUB ${subjects.slice(at, at + AT_ONCE).join(`${end}PUB `)}${end}`);
    }
  };

  const request = <T>(subject: string, data: Uint8Array, options: RequestOptions | Asking<T>): Promise<T> => {
    const number = replies.next();
    try {
      if (deaf !== undefined) throw deaf;
      if (subject !== asked) check(subject);
      asked = subject; // mostly the same one again
      if (!hasReplies) put(`SUB ${inbox}* ${REPLIES}\r\n`);
      hasReplies = true;
      write(`${subject} ${inbox}${number}`, data, options.headers ?? '');
    } catch (error) {
      return Promise.reject(error);
    }
    return replies.wait(number, subject, options as Asking<T>);
  };

  const subscribe: Connection['subscribe'] = (given, { max = 0, onFrame, onEnd }) => {
    const sid = ++lastSid;
    const subject = given || `${own}-${sid}`;
    if (given !== '') check(given);
    const unsubscribe = (): void => {
      if (listening.has(sid) && !isOver) wire.put(`UNSUB ${sid}\r\n`);
    };
    const end = (error?: Error): void => {
      if (error) unsubscribe();
      if (listening.delete(sid)) onEnd?.(error);
    };
    put(`SUB ${subject} ${sid}\r\n${max > 0 ? `UNSUB ${sid} ${max}\r\n` : ''}`);
    listening.set(sid, { subject, left: max, onFrame, end });
    return {
      subject,
      async drain(timeoutMs) {
        if (!listening.has(sid)) return;
        unsubscribe();
        await wire.flush(timeoutMs).catch(() => {});
        end();
      },
      end() {
        unsubscribe();
        end();
      },
    };
  };

  const leave = async (): Promise<void> => {
    isOver = true;
    replies.fail(wire.lost('wait for an answer'));
    if (listening.size > 0) {
      for (const sid of listening.keys()) wire.put(`UNSUB ${sid}\r\n`);
      await wire.flush(LEAVE_LIMIT_MS).catch(() => {});
    }
    await wire.close();
  };

  // one object: what the wire notes down is read through it
  return Object.assign(wire, { leave, publish, publishAll, request, startLimit: limits.start.bind(limits), subscribe });
}
