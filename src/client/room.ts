/** How much a producer has under way at once: enough to keep a connection busy, and never all of a large batch. */

/** Answers of so many messages are waited for at the same time, at most. */
const MAX_MESSAGES = 2_000;
/** They take so many bytes together; one that is larger goes alone. */
const MAX_BYTES = 8 * 1024 * 1024;

export class Room {
  #messages = 0;
  #bytes = 0;
  readonly #waiting: { readonly bytes: number; readonly enter: () => void }[] = [];

  /** Takes room, in the order of calls. @returns nothing where it was there at once */
  take(bytes: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      this.#add(bytes);
      return undefined;
    }
    return new Promise((enter) => this.#waiting.push({ bytes, enter }));
  }

  /** Gives back what was taken. */
  free(bytes: number): void {
    this.#messages--;
    this.#bytes -= bytes;
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#add(next.bytes);
      next.enter();
    }
  }

  #fits(bytes: number): boolean {
    return this.#messages === 0 || (this.#messages < MAX_MESSAGES && this.#bytes + bytes <= MAX_BYTES);
  }

  #add(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
  }
}
