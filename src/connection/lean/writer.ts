/** Gathers what is written in one tick, and writes it at once. */

import type { Writable } from 'node:stream';

const FIRST_BYTES = 1_024;
const MAX_KEPT_BYTES = 65_536;

export class Writer {
  #out = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  #stream: Writable | undefined;
  #isDue = false;

  /** Text, and bytes behind it. They are copied: whoever owns them may change them afterwards. */
  put(text: string, data: Uint8Array = Buffer.alloc(0), end = ''): void {
    // no character takes more than three bytes
    const most = this.#length + 3 * (text.length + end.length) + data.length;
    if (most > this.#out.length) {
      const larger = Buffer.allocUnsafe(2 * most);
      this.#out.copy(larger, 0, 0, this.#length);
      this.#out = larger;
    }
    this.#length += this.#out.write(text, this.#length);
    this.#out.set(data, this.#length);
    this.#length += data.length;
    this.#length += this.#out.write(end, this.#length);
    if (this.#isDue || this.#stream === undefined) return;
    this.#isDue = true;
    setImmediate(() => this.flush());
  }

  /** From now on what is put is written: first this text, then what was put before. */
  open(stream: Writable, text: string): void {
    const before = this.#out.subarray(0, this.#length);
    this.#out = Buffer.allocUnsafe(FIRST_BYTES);
    this.#length = 0;
    this.#stream = stream;
    this.put(text, before);
  }

  flush(): void {
    this.#isDue = false;
    if (this.#length === 0) return;
    this.#stream?.write(this.#out.subarray(0, this.#length));
    // the stream may hold on to what it was given
    this.#out = Buffer.allocUnsafe(Math.max(FIRST_BYTES, Math.min(2 * this.#length, MAX_KEPT_BYTES)));
    this.#length = 0;
  }
}
