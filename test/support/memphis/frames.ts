/** Frames of the NATS protocol cut out of a stream of bytes, whichever direction they go. */

export interface WireFrame {
  /** As in `PUB`, `HMSG`, `INFO`, in capitals. */
  readonly verb: string;
  /** What stands behind the verb, in parts. */
  readonly args: readonly string[];
  /** Header block and payload; empty where the verb has none. */
  readonly body: Buffer;
  /** Of the body, how much is the header block. */
  readonly headerBytes: number;
  /** The rest of the line as it came. */
  readonly rest: string;
}

const hasBody = /^(PUB|HPUB|MSG|HMSG)$/;

/** Takes chunks and hands out frames. */
export class FrameReader {
  #left = Buffer.alloc(0);

  push(chunk: Buffer): WireFrame[] {
    this.#left = Buffer.concat([this.#left, chunk]);
    const frames: WireFrame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): WireFrame | undefined {
    const end = this.#left.indexOf('\r\n');
    if (end < 0) return undefined;
    const line = this.#left.subarray(0, end).toString('latin1');
    const [word = '', ...args] = line.split(/\s+/);
    const verb = word.toUpperCase();
    const size = hasBody.test(verb) ? Number(args.at(-1)) : undefined;
    const total = size === undefined ? end + 2 : end + 2 + size + 2;
    if (this.#left.length < total) return undefined;
    const body = Buffer.from(this.#left.subarray(end + 2, size === undefined ? end + 2 : total - 2));
    const rest = this.#left.subarray(word.length + 1, end).toString('utf8');
    this.#left = this.#left.subarray(total);
    const headerBytes = verb === 'HPUB' || verb === 'HMSG' ? Number(args.at(-2)) : 0;
    return { verb, args, body, headerBytes, rest };
  }
}

/** Lines of a header block without its first one. */
export const headerLines = ({ body, headerBytes }: WireFrame): string[] =>
  body.subarray(0, headerBytes).toString('utf8').split('\r\n').slice(1).filter(Boolean);

/** The bytes of a frame with a body, whose headers may have changed; `gap` stands before the sizes. */
export function toBytes(frame: WireFrame, lines: readonly string[], gap = ' '): Buffer {
  const { verb, args, body, headerBytes } = frame;
  const names = args.slice(0, headerBytes > 0 ? -2 : -1).join(' ');
  const payload = body.subarray(headerBytes);
  if (headerBytes === 0)
    return Buffer.concat([Buffer.from(`${verb} ${names}${gap}${payload.length}\r\n`), payload, CRLF]);
  const first = body.subarray(0, body.indexOf('\r\n')).toString('utf8');
  const block = Buffer.from(`${[first, ...lines].join('\r\n')}\r\n\r\n`);
  const line = Buffer.from(`${verb} ${names}${gap}${block.length} ${block.length + payload.length}\r\n`);
  return Buffer.concat([line, block, payload, CRLF]);
}

const CRLF = Buffer.from('\r\n');
