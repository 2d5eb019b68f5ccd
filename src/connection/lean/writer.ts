/** Gathers what is written in one tick, and writes it at once. */

import type { Writable } from 'node:stream';

const FIRST_BYTES = 4_096;
/** With so much there is no waiting for the tick's end: the server may begin to read. */
const FULL_BYTES = 65_536;
/** What one large message took is not kept for small ones. */
const MAX_KEPT_BYTES = 4 * FULL_BYTES;
const CR = 13;
const LF = 10;

export class Writer {
  #out = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  #stream: Writable | undefined;
  #isDue = false;
  readonly #onTickEnd: () => void;
  // made once, not for each tick
  readonly #endTick = (): void => {
    this.flush();
    this.#onTickEnd();
  };
  readonly #afterPromises = (): void => process.nextTick(this.#endTick);

  /** @param onTickEnd told behind the write of each tick, and of those that `wake` was called in */
  constructor(onTickEnd: () => void = () => {}) {
    this.#onTickEnd = onTickEnd;
  }

  /** Text, and bytes with a line's end behind them. They are copied: whoever owns them may change them afterwards. */
  put(text: string, data?: Uint8Array): void {
    // no character takes more than three bytes
    const most = this.#length + 3 * text.length + (data === undefined ? 0 : data.length + 2);
    if (most > this.#out.length) this.#grow(2 * most);
    this.#length += this.#out.write(text, this.#length);
    if (data !== undefined) {
      this.#out.set(data, this.#length);
      this.#length += data.length;
      this.#out[this.#length++] = CR;
      this.#out[this.#length++] = LF;
    }
    if (this.#stream === undefined) return;
    if (this.#length >= FULL_BYTES) this.#send(this.#stream);
    else this.wake();
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafe(size);
    this.#out.copy(larger, 0, 0, this.#length);
    this.#out = larger;
  }

  /** Sees to it that the end of this tick is told. */
  wake(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    // behind all that promises still do in this tick, without a turn of the event loop
    void Promise.resolve().then(this.#afterPromises);
  }

  /** From now on what is put is written: first this text, then what was put before. */
  open(stream: Writable, text: string): void {
    const size = Buffer.byteLength(text);
    const length = this.#length + size;
    if (length > this.#out.length) this.#grow(2 * length);
    this.#out.copyWithin(size, 0, this.#length);
    this.#out.write(text);
    this.#length = length;
    this.#stream = stream;
    this.put('');
  }

  flush(): void {
    this.#isDue = false;
    if (this.#stream !== undefined) this.#send(this.#stream);
  }

  #send(stream: Writable): void {
    if (this.#length === 0) return;
    stream.write(this.#out.subarray(0, this.#length));
    // what the stream still holds on to is its own; what it has handed on whole is written over
    if (stream.writableLength > 0 || this.#out.length > MAX_KEPT_BYTES) {
      this.#out = Buffer.allocUnsafe(Math.max(FIRST_BYTES, Math.min(2 * this.#length, FULL_BYTES)));
    }
    this.#length = 0;
  }
}
