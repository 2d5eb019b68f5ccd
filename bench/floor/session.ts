/**
 * The floor: the least that a program must do to pull, ack, flush and publish, on a bare socket. What the toolkit is
 * measured against, and no client: it never reconnects, checks nothing, and believes every byte it is sent.
 */

import { connect, type Socket } from 'node:net';

/** A message as it came. */
export interface FloorMessage {
  readonly reply: string;
  readonly data: Buffer;
}

export interface FloorOptions {
  readonly host: string;
  readonly port: number;
  /** Ask for the greeting before anything is sent, as clients do that do not know what they will meet. */
  readonly waitsForInfo?: boolean;
  /** Fields for CONNECT. */
  readonly connect?: Readonly<Record<string, string>>;
  /** Lines that every stored message carries, and the name of the one with its id. */
  readonly headers?: string;
  readonly idHeader?: string;
}

/** A pull under way. */
interface Pull {
  readonly wanted: number;
  readonly messages: FloorMessage[];
  readonly resolve: (messages: FloorMessage[]) => void;
  readonly reject: (error: Error) => void;
}

interface Wait<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

const HELLO = { verbose: false, pedantic: false, headers: true, no_responders: true, lang: 'floor' };
const NEWLINE = 10;

/** One session. Everything that is written in one tick leaves in one write, the first one before the greeting came. */
export class Floor {
  readonly socket: Socket;
  readonly #inbox = `_F.${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`;
  readonly #replies = new Map<string, Wait<Buffer>>();
  readonly #pongs: Wait<void>[] = [];
  readonly #headers: string;
  readonly #idHeader: string;
  #out: (string | Buffer)[];
  #isScheduled = false;
  #mayWrite: boolean;
  #pull: Pull | undefined;
  #rest: Buffer | undefined;
  #count = 0;
  #ended: Error | undefined;

  constructor({ host, port, waitsForInfo = false, connect: fields, headers, idHeader }: FloorOptions) {
    this.#mayWrite = !waitsForInfo;
    this.#headers = headers ?? '';
    this.#idHeader = idHeader ?? 'Nats-Msg-Id';
    this.#out = [`CONNECT ${JSON.stringify({ ...HELLO, ...fields })}\r\n`, `SUB ${this.#inbox}.* 1\r\n`];
    this.socket = connect({ host, port, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.socket.on('error', (error) => this.#end(error));
    this.socket.on('close', () => this.#end(new Error('closed')));
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Takes up to so many messages that are there. One at a time. */
  pull(stream: string, durable: string, wanted: number): Promise<FloorMessage[]> {
    const body = `{"batch":${wanted},"no_wait":true}`;
    this.#write(`PUB $JS.API.CONSUMER.MSG.NEXT.${stream}.${durable} ${this.#inbox}.p ${body.length}\r\n${body}\r\n`);
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      this.#pull = { wanted, messages: [], resolve, reject };
    });
  }

  ack(messages: readonly FloorMessage[]): void {
    let text = '';
    for (const { reply } of messages) text += `PUB ${reply} 4\r\n+ACK\r\n`;
    this.#write(text);
  }

  /** Resolves when the server has read all that was written before. */
  flush(): Promise<void> {
    this.#write('PING\r\n');
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      this.#pongs.push({ resolve, reject });
    });
  }

  /** Stores a message; resolves with what the server answered. */
  publish(subject: string, data: Buffer, id?: string): Promise<Buffer> {
    if (id === undefined && this.#headers === '') return this.request(subject, data);
    const line = id === undefined ? '' : `${this.#idHeader}: ${id}\r\n`;
    return this.request(subject, data, `NATS/1.0\r\n${this.#headers}${line}\r\n`);
  }

  /** @param headers as they go over the wire */
  request(subject: string, data: Buffer, headers = ''): Promise<Buffer> {
    const token = `r${this.#count++}`;
    const reply = `${this.#inbox}.${token}`;
    if (headers === '') this.#write(`PUB ${subject} ${reply} ${data.length}\r\n`);
    else this.#write(`HPUB ${subject} ${reply} ${headers.length} ${headers.length + data.length}\r\n${headers}`);
    this.#write(data);
    this.#write('\r\n');
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      this.#replies.set(token, { resolve, reject });
    });
  }

  close(): void {
    this.socket.destroy();
  }

  #write(piece: string | Buffer): void {
    this.#out.push(piece);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(() => this.#send());
  }

  #send(): void {
    this.#isScheduled = false;
    if (!this.#mayWrite || this.#out.length === 0) return;
    const pieces = this.#out;
    this.#out = [];
    let size = 0;
    for (const piece of pieces) size += piece.length; // all that is text here is ASCII
    const bytes = Buffer.allocUnsafe(size);
    let at = 0;
    for (const piece of pieces) {
      at += typeof piece === 'string' ? bytes.write(piece, at, 'latin1') : piece.copy(bytes, at);
    }
    this.socket.write(bytes);
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let at = 0;
    while (at < bytes.length) {
      const next = this.#readOne(bytes, at);
      if (next === undefined) {
        this.#rest = bytes.subarray(at);
        return;
      }
      at = next;
    }
  }

  /** Reads what begins here; returns where the next begins, or nothing when it is not all there. */
  #readOne(bytes: Buffer, at: number): number | undefined {
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline < 0) return undefined;
    const line = bytes.toString('latin1', at, newline - 1);
    const start = newline + 1;
    const isPlain = line.startsWith('MSG ');
    if (isPlain || line.startsWith('HMSG ')) {
      const words = line.split(' ');
      const size = Number(words[words.length - 1]);
      if (start + size + 2 > bytes.length) return undefined;
      const data = bytes.subarray(start, start + size);
      const hasReply = words.length === (isPlain ? 5 : 6) && words[3] !== ''; // two blanks: none
      if (hasReply) this.#take({ reply: words[3] ?? '', data });
      else this.#answer(words[1] ?? '', data);
      return start + size + 2;
    }
    if (line === 'PONG') this.#pongs.shift()?.resolve();
    else if (line === 'PING') this.#write('PONG\r\n');
    else if (line.startsWith('INFO ')) this.#greet();
    else if (line.startsWith('-ERR')) this.#end(new Error(line));
    return start;
  }

  #greet(): void {
    if (this.#mayWrite) return;
    this.#mayWrite = true;
    this.#send();
  }

  #take(message: FloorMessage): void {
    const pull = this.#pull;
    if (pull === undefined) return;
    pull.messages.push(message);
    if (pull.messages.length === pull.wanted) this.#endPull();
  }

  /** A message without reply: the status that ends a pull, or the answer to a publish. */
  #answer(subject: string, data: Buffer): void {
    const token = subject.slice(this.#inbox.length + 1);
    if (token === 'p') {
      this.#endPull();
    } else {
      this.#replies.get(token)?.resolve(data);
      this.#replies.delete(token);
    }
  }

  #endPull(): void {
    const pull = this.#pull;
    this.#pull = undefined;
    pull?.resolve(pull.messages);
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#pull?.reject(error);
    for (const { reject } of this.#pongs) reject(error);
    for (const { reject } of this.#replies.values()) reject(error);
  }
}
