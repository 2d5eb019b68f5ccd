/** A NATS session of our own: messages over a wire. All replies come on one subscription. */

import { MemphisError } from '../../model/errors.ts';
import type { Connection, DialOptions, Frame, HeaderList } from '../port.ts';
import type { End } from './deadlines.ts';
import { VERSION } from './frame.ts';
import { openWire } from './wire.ts';

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

const REPLIES = 1;
/** By then all that is allowed has been answered, mostly. */
const UNNAMED_AFTER_MS = 300;
const randomToken = (): string => Math.random().toString(36).slice(2).padEnd(11, '0');
const newInbox = (): string => `_INBOX.${randomToken()}${randomToken()}`;

const refuse = (words: string): never => {
  throw new MemphisError('INVALID_MESSAGE', `${words}.`);
};

/** What is no subject could be a line of the protocol. */
const check = (subject: string): void => void (/^\S+$/.test(subject) || refuse('A subject is empty or holds a blank'));

function toBlock(headers: HeaderList): string {
  if (headers.length === 0) return '';
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  if (lines.some((line) => /[\r\n]/.test(line))) refuse('A header holds a line break');
  return `${[VERSION, ...lines].join('\r\n')}\r\n\r\n`;
}

/** Opens a session of our own. Returns at once; see `Dial`. */
export function openLean(options: DialOptions): Connection {
  const inbox = `${newInbox()}.`;
  const waiting = new Map<string, Waiting>();
  const listening = new Map<number, Listener>();
  let lastKey = 0;
  let lastSid = REPLIES;
  let hasReplies = false;
  /** Why replies cannot be listened for. */
  let deaf: MemphisError | undefined;

  const wire = openWire(options, {
    onFrame(sid, frame) {
      if (sid !== REPLIES) return listening.get(sid)?.onFrame(frame);
      const { subject } = frame;
      // without a wait it came after its time limit
      if (subject.startsWith(inbox)) waiting.get(subject.slice(inbox.length))?.end(undefined, frame);
    },
    onDenied(subject, error) {
      // a Memphis broker does not say which: what was asked before and stays without an answer (memphis-wire 1.6)
      if (subject === '') {
        const asked = [...waiting];
        wire
          .wait(UNNAMED_AFTER_MS, '', () => {})
          .catch(() => {
            for (const [key, one] of asked) if (waiting.get(key) === one) one.end(error);
          });
        return;
      }
      if (subject.startsWith(inbox)) deaf = error;
      for (const one of waiting.values()) if (deaf !== undefined || one.subject === subject) one.end(error);
      for (const one of listening.values()) if (one.subject === subject || one.asked === subject) one.end(error);
    },
    onEnd() {
      for (const one of waiting.values()) one.end(wire.lost('wait for an answer'));
      for (const one of listening.values()) one.end(wire.lost('listen for messages'));
    },
  });

  const publish: Connection['publish'] = (subject, data, { reply = '', headers = [] } = {}) => {
    if (wire.isClosed) throw wire.lost('write');
    check(subject);
    if (reply !== '') check(reply);
    for (const one of listening.values()) if (one.subject === reply) one.asked = subject;
    const to = reply === '' ? subject : `${subject} ${reply}`;
    const block = toBlock(headers);
    const blockSize = Buffer.byteLength(block);
    const size = blockSize + data.length;
    // the server would end the session over it
    if (size > wire.maxPayload) {
      const words = `A message of ${size} bytes is too large: the server takes ${wire.maxPayload}.`;
      throw new MemphisError('PAYLOAD_TOO_LARGE', words);
    }
    wire.put(`${block === '' ? `PUB ${to}` : `HPUB ${to} ${blockSize}`} ${size}\r\n${block}`, data, '\r\n');
  };

  const request: Connection['request'] = (subject, data, { timeoutMs, headers = [] }) => {
    if (deaf !== undefined) return Promise.reject(deaf);
    const key = (++lastKey).toString(36);
    const begin = (end: End<Frame>): void => {
      if (!hasReplies) wire.put(`SUB ${inbox}* ${REPLIES}\r\n`);
      hasReplies = true;
      publish(subject, data, { reply: inbox + key, headers });
      waiting.set(key, { subject, end });
    };
    const late = `No answer on ${subject} within ${timeoutMs} ms. The broker may have acted.`;
    return wire.wait(timeoutMs, late, begin, () => waiting.delete(key));
  };

  const subscribe: Connection['subscribe'] = (asked, { max = 0, onFrame, onEnd }) => {
    if (wire.isClosed) throw wire.lost('listen');
    const subject = asked || newInbox();
    check(subject);
    const sid = ++lastSid;
    let left = max;
    const end = (error?: Error): void => {
      if (listening.delete(sid)) onEnd?.(error);
    };
    const unsubscribe = (): void => {
      if (listening.has(sid) && !wire.isClosed) wire.put(`UNSUB ${sid}\r\n`);
    };
    listening.set(sid, {
      subject,
      onFrame(frame) {
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
    wire.put(`SUB ${subject} ${sid}\r\n${max > 0 ? `UNSUB ${sid} ${max}\r\n` : ''}`);
    return {
      subject,
      async drain(timeoutMs) {
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

  // one object: what the wire notes down is read through it
  return Object.assign(wire, { publish, request, subscribe });
}
