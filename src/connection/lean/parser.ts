/**
 * Cuts what a server sends into messages and lines. Each byte is looked at once and stays where it is; a message that
 * is not whole yet waits until all of it is there.
 */

import { MemphisError } from '../../model/errors.ts';
import { LeanFrame, VERSION } from './frame.ts';

const LF = 10;
const SPACE = 32;
const [H, M] = [72, 77];
/** INFO of a large cluster is the longest line that there is. */
export const MAX_LINE_BYTES = 65_536;
/** Above what any server can be told to take (64 MiB). */
const MAX_MESSAGE_BYTES = 0x500_0000;

/** What the other side said is not the protocol. Nothing of it is shown: it may be anything. */
export const nonsense = (what: string): MemphisError =>
  new MemphisError('PROTOCOL_ERROR', `The server does not speak the protocol of NATS: ${what}.`);

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
    this.#parts.push(chunk);
    this.#size += chunk.length;
    const isShort = this.#wanted > 0 ? this.#size < this.#wanted : this.#size <= MAX_LINE_BYTES && !chunk.includes(LF);
    if (isShort) return;
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    const rest = bytes.subarray(this.#parse(bytes));
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
  }

  /** @returns where the first operation begins that is not whole */
  #parse(bytes: Buffer): number {
    let at = 0;
    this.#wanted = 0;
    while (at < bytes.length) {
      const first = bytes[at];
      const next = first === M || first === H ? this.#message(bytes, at, first === H) : this.#line(bytes, at);
      if (next === at) break;
      at = next;
    }
    return at;
  }

  #line(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LF, at);
    this.#limitLine((end < 0 ? bytes.length : end) - at);
    if (end < 0) return at;
    const line = bytes.toString('utf8', at, end).trim();
    const operation = /^(INFO|PING|PONG|\+OK|-ERR)(?=\s|$)/.exec(line)?.[0] ?? '';
    if (operation === '') throw nonsense('unknown operation');
    if (this.#sink.onLine(operation, line.slice(operation.length).trim()) && end + 1 < bytes.length)
      throw nonsense('words in clear before TLS');
    return end + 1;
  }

  #limitLine(length: number): void {
    if (length > MAX_LINE_BYTES) throw nonsense('a line without an end');
  }

  /*
   * MSG <subject> <sid> [reply] <size>, HMSG <subject> <sid> [reply] <header size> <size>
   * Brokers of Memphis write two blanks where there is no reply.
   */
  #message(bytes: Buffer, at: number, hasHeaders: boolean): number {
    const words: number[] = [];
    let end = at;
    for (let start = -1; ; end++) {
      if (end === bytes.length) {
        this.#limitLine(end - at);
        return at;
      }
      if ((bytes[end] as number) > SPACE) {
        if (start < 0) start = end;
        continue;
      }
      if (start >= 0) words.push(start, end);
      start = -1;
      if (bytes[end] === LF) break;
    }
    this.#limitLine(end - at);
    const count = words.length / 2;
    const least = hasHeaders ? 5 : 4;
    if (
      bytes.toString('latin1', at, words[1]) !== (hasHeaders ? 'HMSG' : 'MSG') ||
      (count !== least && count !== least + 1)
    ) {
      throw nonsense('a message line with other words');
    }
    const number = (word: number): number => toNumber(bytes, words[2 * word] as number, words[2 * word + 1] as number);
    const head = end + 1;
    const size = number(count - 1);
    const headSize = hasHeaders ? number(count - 2) : 0;
    const total = head + size;
    if (headSize > size || size > MAX_MESSAGE_BYTES) throw nonsense('a message of an impossible size');
    if (bytes.length < total + 2) {
      this.#wanted = total + 2 - at;
      return at;
    }
    if (bytes[total] !== 13 || bytes[total + 1] !== LF) throw nonsense('a message of another size than announced');
    if (hasHeaders && bytes.toString('latin1', head, head + VERSION.length) !== VERSION)
      throw nonsense('headers of another kind');
    const [, , subject = 0, subjectEnd = 0, , , reply = 0, replyEnd = 0] = words;
    const hasReply = count > least;
    const frame = new LeanFrame(bytes, [
      subject,
      subjectEnd,
      hasReply ? reply : 0,
      hasReply ? replyEnd : 0,
      head,
      head + headSize,
      total,
    ]);
    this.#sink.onMessage(number(2), frame);
    return total + 2;
  }
}

function toNumber(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - 48;
    if (digit < 0 || digit > 9 || end - start > 9) throw nonsense('a number that is none');
    value = value * 10 + digit;
  }
  return value;
}
