/** One message off the wire: where its parts lie in the bytes that came. Nothing is decoded before somebody asks. */

import type { Frame, HeaderList } from '../port.ts';

const SPACE = 32;
/** How each header block begins. */
export const VERSION = 'NATS/1.0';

export class LeanFrame implements Frame {
  readonly #bytes: Buffer;
  readonly #at: readonly number[];
  #headers: HeaderList | undefined;

  /** @param at offsets: subject, its end, reply, its end, header block, payload, end of the payload */
  constructor(bytes: Buffer, at: readonly number[]) {
    this.#bytes = bytes;
    this.#at = at;
  }

  #text(from: number, to: number): string {
    return this.#bytes.toString('utf8', this.#at[from], this.#at[to]);
  }

  get subject(): string {
    return this.#text(0, 1);
  }

  get reply(): string {
    return this.#text(2, 3);
  }

  /** The lines of the header block: the one with the status first. */
  get #lines(): string[] {
    return this.#text(4, 5).split('\r\n');
  }

  get status(): number {
    const at = (this.#at[4] as number) + VERSION.length;
    return at < (this.#at[5] as number) && this.#bytes[at] === SPACE
      ? Number(this.#bytes.toString('latin1', at, at + 4)) || 0
      : 0;
  }

  get statusText(): string {
    return this.#lines[0]?.slice(VERSION.length + 5).trim() ?? '';
  }

  get headers(): HeaderList {
    this.#headers ??= this.#parseHeaders();
    return this.#headers;
  }

  #parseHeaders(): HeaderList {
    const list: [string, string][] = [];
    for (const line of this.#lines.slice(1)) {
      const colon = line.indexOf(':');
      if (colon > 0) list.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
    }
    return list;
  }

  get data(): Uint8Array {
    const { buffer, byteOffset } = this.#bytes;
    const start = this.#at[5] as number;
    return new Uint8Array(buffer as ArrayBuffer, byteOffset + start, (this.#at[6] as number) - start);
  }
}
