/**
 * Cuts what a server sends into messages and lines. Each byte is looked at once and stays where it is; a message that
 * is not whole yet waits until all of it is there.
 */

import { MemphisError } from '../../model/errors.ts';
import { LeanFrame, VERSION } from './frame.ts';

const LF = 10;
const CR = 13;
const H = 72;
const M = 77;
const G = 71;
const SPACE = 32;
const ZERO = 48;
/** No number has more than nine digits. */
const MAX_UNIT = 1e9;
/** INFO of a large cluster is the longest line that there is. */
export const MAX_LINE_BYTES = 65_536;
/** Above what any server can be told to take (64 MiB). */
const MAX_MESSAGE_BYTES = 0x500_0000;

/** What the other side said is not the protocol. Nothing of it is shown: it may be anything. */
export function nonsense(what: string): MemphisError {
  return new MemphisError('PROTOCOL_ERROR', `The server does not speak the protocol of NATS: ${what} cannot be right`);
}

const OPERATIONS = ['INFO', 'PING', 'PONG', '+OK', '-ERR'];

/** Who is told. */
export interface Sink {
  onMessage(sid: number, frame: LeanFrame): void;
  /** `INFO`, `PING`, `PONG`, `+OK` or `-ERR`, and what stands behind it. @returns true: what follows is not for this parser */
  onLine(operation: string, text: string): boolean | undefined;
}

export class Parser {
  readonly #sink: Sink;
  #parts: Buffer[] = [];
  #size = 0;
  /** So many bytes must be there before it is worth another look. */
  #wanted = 0;
  /** Up to where a line was read from behind. */
  #at = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** @throws MemphisError `PROTOCOL_ERROR`: nothing that comes afterwards can be understood */
  push(chunk: Buffer): void {
    const bytes = this.#size === 0 ? chunk : this.#join(chunk);
    if (bytes === undefined) return;
    const end = this.#parse(bytes);
    this.#size = bytes.length - end;
    if (this.#size > 0) this.#parts.push(bytes.subarray(end));
  }

  /** @returns nothing where it is not worth another look yet */
  #join(chunk: Buffer): Buffer | undefined {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    const isShort = this.#wanted > 0 ? this.#size < this.#wanted : this.#size <= MAX_LINE_BYTES && !chunk.includes(LF);
    if (isShort) return undefined;
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    return bytes;
  }

  /** @returns where the first operation begins that is not whole */
  #parse(bytes: Buffer): number {
    this.#wanted = 0;
    let at = 0;
    while (at < bytes.length) {
      const end = bytes.indexOf(LF, at);
      if ((end < 0 ? bytes.length : end) - at > MAX_LINE_BYTES) throw nonsense('a line without an end');
      if (end < 0) break;
      const first = bytes[at];
      const next = first === M || first === H ? this.#message(bytes, at, end, first === H) : this.#line(bytes, at, end);
      if (next === at) break;
      at = next;
    }
    return at;
  }

  /** @returns where the next operation begins, or this one where it is not whole */
  #line(bytes: Buffer, at: number, end: number): number {
    const line = bytes.toString('utf8', at, end).trim();
    const operation = line.split(' ', 1)[0] as string;
    if (!OPERATIONS.includes(operation)) throw nonsense('an operation');
    const isOver = this.#sink.onLine(operation, line.slice(operation.length).trim());
    if (isOver && end + 1 < bytes.length) throw nonsense('what stands in clear before TLS');
    return end + 1;
  }

  /*
   * MSG <subject> <sid> [reply] <size>, HMSG <subject> <sid> [reply] <header size> <size>
   * Brokers of Memphis, and servers before 2.10, write two blanks where there is no reply, and also behind one.
   */
  #message(bytes: Buffer, at: number, end: number, hasHeaders: boolean): number {
    // Numbers are read off the bytes, the sizes from behind, and no more text is made than somebody asks for: these lines
    // are most of what a session reads.
    const word = hasHeaders ? at + 1 : at;
    const subjectAt = behindBlanks(bytes, word + 4);
    const subjectEnd = bytes.indexOf(SPACE, subjectAt);
    this.#at = bytes[end - 1] === CR ? end - 1 : end;
    const size = this.#numberBefore(bytes);
    const headSize = hasHeaders ? this.#numberBefore(bytes) : 0;
    const wordsEnd = this.#at;
    let sidEnd = behindBlanks(bytes, subjectEnd);
    while (sidEnd < wordsEnd && bytes[sidEnd] !== SPACE) sidEnd++;
    this.#at = sidEnd;
    const sid = this.#numberBefore(bytes);
    const reply = bytes.toString('utf8', sidEnd, wordsEnd).trim();
    if (bytes[word + 2] !== G || bytes[word + 3] !== SPACE || reply.includes(' '))
      throw nonsense('the line of a message');
    const head = end + 1;
    const total = head + size;
    if (headSize > size || size > MAX_MESSAGE_BYTES) throw nonsense('the size of a message');
    if (bytes.length < total + 2) {
      this.#wanted = total + 2 - at;
      return at;
    }
    if (bytes[total] !== CR || bytes[total + 1] !== LF) throw nonsense('the size of a message');
    if (hasHeaders && bytes.toString('latin1', head, head + VERSION.length) !== VERSION) {
      throw nonsense('headers');
    }
    const frame = new LeanFrame(bytes, subjectAt, reply, head, head + headSize, total);
    this.#sink.onMessage(sid, frame);
    return total + 2;
  }

  /** The number that ends at `#at`, which is then in front of it and of the blanks before it: the line begins with letters. */
  #numberBefore(bytes: Buffer): number {
    let at = this.#at;
    let value = 0;
    let unit = 1;
    for (;;) {
      const digit = (bytes[at - 1] as number) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value += digit * unit;
      unit *= 10;
      at--;
    }
    if (unit === 1 || unit > MAX_UNIT || bytes[at - 1] !== SPACE) throw nonsense('a number');
    while (bytes[at - 1] === SPACE) at--;
    this.#at = at;
    return value;
  }
}

function behindBlanks(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === SPACE) at++;
  return at;
}
