/**
 * A relay before a nats-server that makes its protocol a Memphis broker's: INFO with a `connection_id`, users by the
 * rules of memphis-wire 1.4, repeats told by `msg-id`, two blanks in what the broker itself sends, silence for pulls of
 * durables that are not there.
 */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { FrameReader, headerLines, toBytes, type WireFrame } from './frames.ts';

export interface RelayOptions {
  /** Of the nats-server on 127.0.0.1. */
  readonly target: number;
  readonly username: string;
  readonly password: string;
  /** What INFO says of its version. */
  readonly version: string;
  /** A client broke a rule. */
  onViolation(what: string): void;
  /** A connection that had this id has ended. */
  onGone(connectionId: string): void;
}

export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** Ends all connections without a word. */
  cut(): void;
  /** From now on these subjects are not permitted, and the broker does not say which was meant (memphis-wire 1.6). */
  forbid(subjects: RegExp): void;
  /** From now on a NAK counts only under the number of its durable's latest delivery: others are confirmed, and ignored. */
  ignoreOldNaks(): void;
  /** As a broker that was asked to stop and hangs: new connections get no INFO, requests no answer (memphis-wire 1.7). */
  hang(): void;
  /** As one that was ended and started again: the connections of before are gone, new ones work. */
  resume(): void;
  /** As a broker whose user was removed: its connections end without a word, new ones are refused (memphis-wire 1.6). */
  revoke(): void;
}

class Conversation {
  readonly #options: RelayOptions;
  readonly #client: Socket;
  readonly #server: Socket;
  /** Inboxes on which answers of the broker itself are expected, and those of pulls. */
  readonly #controlled = new Set<string>();
  readonly #pulls = new Set<string>();
  connectionId = '';

  constructor(client: Socket, server: Socket, options: RelayOptions) {
    this.#options = options;
    this.#client = client;
    this.#server = server;
  }

  fromClient(frame: WireFrame): Buffer | undefined {
    const { verb, args, rest } = frame;
    if (verb === 'CONNECT') return this.#connect(rest);
    if (verb !== 'PUB' && verb !== 'HPUB') return undefined;
    const [subject = ''] = args;
    const sizes = verb === 'HPUB' ? 2 : 1;
    const reply = args.length > 1 + sizes ? args[1] : undefined;
    if (subject.startsWith('$memphis_')) {
      if (verb === 'HPUB') this.#options.onViolation(`${subject} was sent with headers`);
      if (reply !== undefined) this.#controlled.add(reply);
    }
    if (subject.startsWith('$JS.API.CONSUMER.MSG.NEXT.') && reply !== undefined) {
      this.#pulls.add(reply);
      const text = frame.body.toString();
      if (!text.includes('"expires"')) this.#options.onViolation(`a pull without a limit of time: ${text}`);
    }
    if (/^[^$][^.]*\$\d+\.final$/.test(subject) && verb === 'PUB') {
      this.#options.onViolation(`a message without headers on ${subject}`);
    }
    if (verb === 'PUB') return undefined;
    // the broker knows repeats by msg-id, and Nats-Msg-Id means nothing to it
    const lines = headerLines(frame).filter((line) => !/^nats-msg-id:/i.test(line));
    const id = lines
      .find((line) => line.startsWith('msg-id:'))
      ?.slice('msg-id:'.length)
      .trim();
    return toBytes(frame, id === undefined || id === '' ? lines : [`Nats-Msg-Id: ${id}`, ...lines]);
  }

  fromServer(frame: WireFrame): Buffer | undefined {
    const { verb, args, rest } = frame;
    if (verb === 'INFO') {
      const info = { ...JSON.parse(rest), version: this.#options.version, server_name: 'memphis-0', connection_id: '' };
      delete info.api_lvl;
      return Buffer.from(`INFO ${JSON.stringify(info)} \r\n`);
    }
    if (verb !== 'MSG' && verb !== 'HMSG') return undefined;
    const [subject = ''] = args;
    const isBroker = this.#controlled.has(subject) || subject.startsWith('$memphis_');
    const status = verb === 'HMSG' ? frame.body.subarray(8, 12).toString().trim() : '';
    if (status === '503' && this.#pulls.has(subject)) return Buffer.alloc(0);
    const lines = headerLines(frame).filter((line) => !/^nats-msg-id:/i.test(line));
    return toBytes(frame, lines, isBroker && status === '' ? '  ' : ' ');
  }

  #connect(text: string): Buffer {
    const { onViolation, username, password } = this.#options;
    const shown = JSON.parse(text) as { name?: string; user?: string; pass?: string };
    const parts = String(shown.name ?? '').split('::');
    if (
      typeof shown.name !== 'string' ||
      parts.length !== 2 ||
      parts[0] === '' ||
      parts[1] !== parts[1]?.toLowerCase()
    ) {
      onViolation(`CONNECT with the name ${shown.name}`);
    }
    this.connectionId = parts[0] ?? '';
    const users = [username, `${username}$1`];
    if (!users.includes(shown.user ?? '') || shown.pass !== password || parts[1] === '') {
      this.#client.end("-ERR 'Authorization Violation'\r\n");
      this.#server.destroy();
    }
    const { user: _, pass: __, ...others } = shown as Record<string, unknown>;
    return Buffer.from(`CONNECT ${JSON.stringify(others)}\r\n`);
  }
}

/* $JS.ACK.<stream>.<durable>.<delivered>.<stream seq>.<consumer seq>.<timestamp ns>.<pending> */
class Naks {
  readonly #latest = new Map<string, number>();

  delivered({ args }: WireFrame): void {
    const reply = args.find((arg) => arg.startsWith('$JS.ACK.'));
    if (reply !== undefined) this.#latest.set(durableOf(reply), numberOf(reply));
  }

  /** @returns one that changes nothing, in place of a NAK that is ignored */
  heard(frame: WireFrame): WireFrame | undefined {
    const [subject = ''] = frame.args;
    if (!subject.startsWith('$JS.ACK.') || !frame.body.toString().startsWith('-NAK')) return undefined;
    if (numberOf(subject) >= (this.#latest.get(durableOf(subject)) ?? 0)) return undefined;
    return { ...frame, rest: frame.rest.replace(/\d+$/, '4'), body: Buffer.from('+WPI') };
  }
}

const durableOf = (ack: string): string => ack.split('.').slice(2, 4).join('.');
const numberOf = (ack: string): number => Number(ack.split('.')[6]);

export async function startRelay(options: RelayOptions): Promise<Relay> {
  const sockets = new Set<Socket>();
  let isHanging = false;
  let isRevoked = false;
  let forbidden: RegExp | undefined;
  let naks: Naks | undefined;
  const listener = createServer((client) => {
    sockets.add(client);
    client.on('error', () => {}).on('close', () => sockets.delete(client));
    if (isHanging) return;
    if (isRevoked) {
      client.once('data', () => client.end("-ERR 'Authorization Violation'\r\n"));
      client.write(
        'INFO {"server_id":"","version":"2.10.7","headers":true,"max_payload":1048576,"jetstream":true,"connection_id":""} \r\n',
      );
      return;
    }
    const server = connect(options.target, '127.0.0.1');
    sockets.add(server);
    const conversation = new Conversation(client.setNoDelay(true), server.setNoDelay(true), options);
    const [up, down] = [new FrameReader(), new FrameReader()];
    client.on('data', (chunk) => {
      for (const frame of up.push(chunk)) {
        if (frame.verb.endsWith('PUB') && forbidden?.test(frame.args[0] ?? '')) {
          client.write(
            "-ERR 'Permissions Violation - cant access the requested station, please contact your Memphis administrator'\r\n",
          );
          continue;
        }
        const bytes = conversation.fromClient(frame) ?? rawBytes(naks?.heard(frame) ?? frame);
        if (!isHanging || frame.verb === 'PING') server.write(bytes);
      }
    });
    server.on('data', (chunk) => {
      for (const frame of down.push(chunk)) {
        naks?.delivered(frame);
        client.write(conversation.fromServer(frame) ?? rawBytes(frame));
      }
    });
    server.on('error', () => {}).on('close', () => client.destroy());
    client.on('close', () => {
      server.destroy();
      sockets.delete(server);
      if (conversation.connectionId !== '') options.onGone(conversation.connectionId);
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (listener.address() as { port: number }).port,
    cut,
    forbid: (subjects) => {
      forbidden = subjects;
    },
    ignoreOldNaks: () => {
      naks = new Naks();
    },
    hang: () => {
      isHanging = true;
    },
    resume: () => {
      isHanging = false;
      cut();
    },
    revoke: () => {
      isRevoked = true;
      cut();
    },
    async [Symbol.asyncDispose]() {
      cut();
      listener.close();
      await once(listener, 'close');
    },
  };
}

function rawBytes(frame: WireFrame): Buffer {
  const line = Buffer.from(`${frame.verb}${frame.rest === '' ? '' : ` ${frame.rest}`}\r\n`);
  return /^(PUB|HPUB|MSG|HMSG)$/.test(frame.verb) ? Buffer.concat([line, frame.body, Buffer.from('\r\n')]) : line;
}
