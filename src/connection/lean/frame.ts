/** One message off the wire: where headers and payload lie in the bytes that came. They are not decoded before somebody asks. */

import type { Frame, HeaderList } from '../port.ts';

const SPACE = 32;
const LINE_END = '\r\n';
const NO_HEADERS: HeaderList = [];
/** How each header block begins. */
export const VERSION = 'NATS/1.0';

export class LeanFrame implements Frame {
  readonly reply: string;
  readonly #subject: number;
  readonly #bytes: Buffer;
  readonly #head: number;
  readonly #data: number;
  readonly #end: number;
  #headers: HeaderList | undefined;

  /** Numbers are offsets in `bytes`: of subject, header block and payload, and where that ends. */
  constructor(bytes: Buffer, subject: number, reply: string, head: number, data: number, end: number) {
    this.#subject = subject;
    this.reply = reply;
    this.#bytes = bytes;
    this.#head = head;
    this.#data = data;
    this.#end = end;
  }

  get subject(): string {
    return this.#bytes.toString('utf8', this.#subject, this.#bytes.indexOf(SPACE, this.#subject));
  }

  get status(): number {
    const at = this.#head + VERSION.length;
    return at < this.#data && this.#bytes[at] === SPACE ? Number(this.#bytes.toString('latin1', at, at + 4)) || 0 : 0;
  }

  get statusText(): string {
    const [line = ''] = this.#bytes.toString('utf8', this.#head, this.#data).split(LINE_END, 1);
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
      const line = block.slice(start, end < 0 ? undefined : end);
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
