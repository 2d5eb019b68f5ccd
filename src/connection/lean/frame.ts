/** One message off the wire: where its parts lie in the bytes that came. Nothing is decoded before somebody asks. */

import type { Frame, HeaderList } from '../port.ts';

const SPACE = 32;
const ZERO = 48;
const LINE_END = '\r\n';
const NO_HEADERS: HeaderList = [];
/** How each header block begins. */
export const VERSION = 'NATS/1.0';

export class LeanFrame implements Frame {
  readonly #bytes: Buffer;
  readonly #subject: number;
  readonly #subjectEnd: number;
  readonly #reply: number;
  readonly #replyEnd: number;
  readonly #head: number;
  readonly #data: number;
  readonly #end: number;
  #headers: HeaderList | undefined;

  /** All are offsets in `bytes`: subject, reply, header block and payload lie where these say. */
  constructor(
    bytes: Buffer,
    subject: number,
    subjectEnd: number,
    reply: number,
    replyEnd: number,
    head: number,
    data: number,
    end: number,
  ) {
    this.#bytes = bytes;
    this.#subject = subject;
    this.#subjectEnd = subjectEnd;
    this.#reply = reply;
    this.#replyEnd = replyEnd;
    this.#head = head;
    this.#data = data;
    this.#end = end;
  }

  get subject(): string {
    return this.#bytes.toString('utf8', this.#subject, this.#subjectEnd);
  }

  /** The number that its subject ends with, behind so many bytes; 0 where there is none. */
  numberBehind(bytes: number): number {
    let number = 0;
    for (let at = this.#subject + bytes; at < this.#subjectEnd; at++) {
      const digit = (this.#bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) return 0;
      number = number * 10 + digit;
    }
    return number;
  }

  get reply(): string {
    return this.#bytes.toString('utf8', this.#reply, this.#replyEnd);
  }

  get status(): number {
    const at = this.#head + VERSION.length;
    return at < this.#data && this.#bytes[at] === SPACE ? Number(this.#bytes.toString('latin1', at, at + 4)) || 0 : 0;
  }

  get statusText(): string {
    const line = this.#bytes.toString('utf8', this.#head, this.#data).split(LINE_END, 1)[0] ?? '';
    return line.slice(VERSION.length + 5).trim();
  }

  get headers(): HeaderList {
    if (this.#head === this.#data) return NO_HEADERS;
    this.#headers ??= this.#parseHeaders();
    return this.#headers;
  }

  #parseHeaders(): HeaderList {
    const list: [string, string][] = [];
    const block = this.#bytes.toString('utf8', this.#head, this.#data);
    // the first line is the one with the status
    let end = block.indexOf(LINE_END);
    while (end >= 0) {
      const start = end + LINE_END.length;
      end = block.indexOf(LINE_END, start);
      const line = end < 0 ? block.slice(start) : block.slice(start, end);
      const colon = line.indexOf(':');
      if (colon > 0) list.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
    }
    return list;
  }

  get latin1(): string {
    return this.#bytes.toString('latin1', this.#data, this.#end);
  }

  get data(): Uint8Array {
    const { buffer, byteOffset } = this.#bytes;
    return new Uint8Array(buffer as ArrayBuffer, byteOffset + this.#data, this.#end - this.#data);
  }
}
