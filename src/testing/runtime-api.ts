/**
 * An emulated Runtime API for one environment, as AWS documents it
 * (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). Pure protocol: it starts and stops no process.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One event on its way to a function. */
export interface Invocation {
  readonly requestId: string;
  readonly functionArn: string;
  readonly deadlineMs: number;
  /** The event as JSON. */
  readonly event: string;
  /** The client context as JSON. */
  readonly clientContext?: string | undefined;
}

/** What a function answered. */
export interface Answer {
  /** JSON, but for a function that streams its response. */
  readonly body: string;
  readonly isError: boolean;
}

/** Is told what the runtime does. */
export interface RuntimeListener {
  /** The runtime asks for an event, and waits. */
  onNext(): void;
  onAnswer(answer: Answer): void;
  /** The function could not be loaded. */
  onInitError(body: string): void;
}

export interface RuntimeApi {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  /** Answers the runtime that waits for an event. */
  hand(invocation: Invocation): void;
  close(): void;
}

/** Lambda's limit of a response that is sent as a whole: 6 MB and a little. */
const MAX_RESPONSE_BYTES = 6_291_556;

const PREFIX = '/2018-06-01/runtime/';

/** Starts one on a free port. It keeps no process alive. */
export async function startRuntimeApi(listener: RuntimeListener): Promise<RuntimeApi> {
  let waiting: ServerResponse | undefined;
  let current: string | undefined;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [what, id, kind] = (request.url ?? '').slice(PREFIX.length).split('/');
    if (what === 'invocation' && id === 'next') {
      waiting = response;
      return listener.onNext();
    }
    const body = await readBody(request);
    if (what === 'init' && id === 'error') {
      listener.onInitError(body);
      return reply(response, 202, { status: 'OK' });
    }
    if (what !== 'invocation' || id !== current || (kind !== 'response' && kind !== 'error')) {
      return reply(response, 400, { errorType: 'InvalidRequestID', errorMessage: 'Invalid request ID' });
    }
    if (kind === 'response' && !isStreamed(request) && Buffer.byteLength(body) > MAX_RESPONSE_BYTES) {
      const limit = `payload size (${MAX_RESPONSE_BYTES} bytes).`;
      const errorMessage = `Response payload size exceeded maximum allowed ${limit}`;
      listener.onAnswer({
        body: JSON.stringify({ errorType: 'Function.ResponseSizeTooLarge', errorMessage }),
        isError: true,
      });
      return reply(response, 413, {
        errorType: 'RequestEntityTooLarge',
        errorMessage: `Exceeded maximum allowed ${limit}`,
      });
    }
    const late = request.trailers['lambda-runtime-function-error-body'];
    listener.onAnswer(
      typeof late === 'string'
        ? { body: Buffer.from(late, 'base64').toString(), isError: true }
        : { body, isError: kind === 'error' },
    );
    reply(response, 202, { status: 'OK' });
  };

  // No limit of time: a frozen function neither sends nor lets go of its connection.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    answer(request, response).catch(() => response.destroy()); // the process was killed in the middle of a request
  });
  server.on('connection', (socket) => socket.unref());
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(0, '127.0.0.1', resolve));
  server.unref();
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    hand: ({ requestId, functionArn, deadlineMs, event, clientContext }) => {
      current = requestId;
      waiting?.writeHead(200, {
        'Content-Type': 'application/json',
        'Lambda-Runtime-Aws-Request-Id': requestId,
        'Lambda-Runtime-Deadline-Ms': String(deadlineMs),
        'Lambda-Runtime-Invoked-Function-Arn': functionArn,
        ...(clientContext !== undefined && { 'Lambda-Runtime-Client-Context': clientContext }),
      });
      waiting?.end(event);
      waiting = undefined;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A function may stream its response; what goes wrong by then stands behind it, in trailers. */
const isStreamed = (request: IncomingMessage): boolean =>
  request.headers['lambda-runtime-function-response-mode'] === 'streaming';

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
