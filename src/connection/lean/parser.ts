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
/** INFO of a large cluster is the longest line that there is. */
export const MAX_LINE_BYTES = 65_536;
/** Above what any server can be told to take (64 MiB). */
const MAX_MESSAGE_BYTES = 0x500_0000;

/** What the other side said is not the protocol. Nothing of it is shown: it may be anything. */
export const nonsense = (what: string): MemphisError =>
  new MemphisError('PROTOCOL_ERROR', `The server does not speak the protocol of NATS: ${what} cannot be right.`);

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
      const first = bytes[at];
      const next = first === M || first === H ? this.#message(bytes, at, first === H) : this.#line(bytes, at);
      if (next === at) break;
      at = next;
    }
    return at;
  }

  /** @returns where the next operation begins, or this one where it is not whole */
  #line(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LF, at);
    limitLine((end < 0 ? bytes.length : end) - at);
    if (end < 0) return at;
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
  #message(bytes: Buffer, at: number, hasHeaders: boolean): number {
    const end = bytes.indexOf(LF, at);
    limitLine((end < 0 ? bytes.length : end) - at);
    if (end < 0) return at;
    // one text, and no list of its words: these lines are most of what a session reads
    let line = bytes.toString('utf8', at, bytes[end - 1] === CR ? end - 1 : end);
    while (line.includes('  ')) line = line.replaceAll('  ', ' ');
    const subjectAt = hasHeaders ? 5 : 4;
    const sidAt = line.indexOf(' ', subjectAt) + 1;
    const sidEnd = line.indexOf(' ', sidAt);
    const sizeAt = line.lastIndexOf(' ') + 1;
    const headSizeAt = hasHeaders ? line.lastIndexOf(' ', sizeAt - 2) + 1 : sizeAt;
    const reply = line.slice(sidEnd + 1, headSizeAt - 1);
    const isWrong = !line.startsWith(hasHeaders ? 'HMSG ' : 'MSG ') || sidAt < 1 || sidEnd < sidAt;
    if (isWrong || headSizeAt <= sidEnd || reply.includes(' ')) throw nonsense('the line of a message');
    const size = toNumber(line.slice(sizeAt));
    const headSize = hasHeaders ? toNumber(line.slice(headSizeAt, sizeAt - 1)) : 0;
    const head = end + 1;
    const total = head + size;
    if (headSize > size || size > MAX_MESSAGE_BYTES) throw nonsense('the size of a message');
    if (bytes.length < total + 2) {
      this.#wanted = total + 2 - at;
      return at;
    }
    if (bytes[total] !== CR || bytes[total + 1] !== LF) throw nonsense('the size of a message');
    if (hasHeaders && bytes.toString('latin1', head, head + VERSION.length) !== VERSION) {
      throw nonsense('a header block');
    }
    const frame = new LeanFrame(bytes, line.slice(subjectAt, sidAt - 1), reply, head, head + headSize, total);
    this.#sink.onMessage(toNumber(line.slice(sidAt, sidEnd)), frame);
    return total + 2;
  }
}

function limitLine(length: number): void {
  if (length > MAX_LINE_BYTES) throw nonsense('a line without an end');
}

/** No expression: its first uses cost a cold start more. */
function toNumber(text: string): number {
  const value = Number(text) >>> 0;
  if (String(value) !== text) throw nonsense('a number');
  return value;
}
