import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { classifyInvokeError } from '../../src/poller/invoke-error.ts';
import { lambdaSettings, openLambda } from '../../src/poller/lambda-client.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

async function serve(
  answer: (
    request: IncomingMessage,
    body: string,
  ) => { status?: number; headers?: Record<string, string>; body?: string },
): Promise<{ server: Server; settings: { endpoint: string; region: string; credentials: typeof credentials } }> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { status = 200, headers = {}, body = '' } = answer(request, Buffer.concat(chunks).toString());
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, settings: { endpoint: `http://127.0.0.1:${port}`, region: 'eu-west-1', credentials } };
}

const never = new AbortController().signal;

test('calls the function over the wire and hands its answer and error over', async () => {
  const seen: string[] = [];
  const { server, settings } = await serve((request, body) => {
    seen.push(`${request.method} ${request.url} ${request.headers['x-amz-invocation-type']} ${body}`);
    return { headers: { 'x-amz-function-error': 'Unhandled' }, body: '{"errorType":"E"}' };
  });
  const lambda = await openLambda(settings, 5);
  try {
    const answer = await lambda.invoke('bill:live', new TextEncoder().encode('{"a":1}'), never);
    assert.equal(answer.FunctionError, 'Unhandled');
    assert.equal(new TextDecoder().decode(answer.Payload), '{"errorType":"E"}');
    assert.deepEqual(seen, ['POST /2015-03-31/functions/bill%3Alive/invocations RequestResponse {"a":1}']);
  } finally {
    lambda.close();
    server.close();
  }
});

test('an answer without a byte, as runtimes of others may give one, has no payload', async () => {
  const { server, settings } = await serve(() => ({}));
  const lambda = await openLambda(settings, 5);
  try {
    assert.equal((await lambda.invoke('bill', new Uint8Array(), never)).Payload, null);
  } finally {
    lambda.close();
    server.close();
  }
});

test('asks once only: a repeated request would run the function again', async () => {
  let calls = 0;
  const { server, settings } = await serve(() => {
    calls += 1;
    return { status: 500, headers: { 'x-amzn-errortype': 'ServiceException' }, body: '{}' };
  });
  const lambda = await openLambda(settings, 5);
  try {
    await assert.rejects(
      lambda.invoke('bill', new Uint8Array(), never),
      (error) => classifyInvokeError(error) === 'later',
    );
    assert.equal(calls, 1);
  } finally {
    lambda.close();
    server.close();
  }
});

for (const [status, type, fault] of [
  [429, 'TooManyRequestsException', 'later'],
  [413, 'RequestTooLargeException', 'payload'],
  [404, 'ResourceNotFoundException', 'mapping'],
  [403, 'AccessDeniedException', 'mapping'],
] as const) {
  test(`knows ${type} as the SDK makes it`, async () => {
    const { server, settings } = await serve(() => ({ status, headers: { 'x-amzn-errortype': type }, body: '{}' }));
    const lambda = await openLambda(settings, 5);
    try {
      await assert.rejects(
        lambda.invoke('bill', new Uint8Array(), never),
        (error) => classifyInvokeError(error) === fault,
      );
    } finally {
      lambda.close();
      server.close();
    }
  });
}

test('knows a refused connection as one where nothing ran', async () => {
  const { server, settings } = await serve(() => ({}));
  await new Promise((resolve) => server.close(resolve));
  const lambda = await openLambda(settings, 5);
  await assert.rejects(
    lambda.invoke('bill', new Uint8Array(), never),
    (error) => classifyInvokeError(error) === 'later',
  );
  lambda.close();
});

test('uses a client that was handed in, and leaves it open', async () => {
  const { server, settings } = await serve(() => ({ body: 'null' }));
  const client = new LambdaClient(settings);
  const lambda = await openLambda(client, 5);
  try {
    await lambda.invoke('bill', new Uint8Array(), never);
    lambda.close();
    await lambda.invoke('bill', new Uint8Array(), never);
  } finally {
    client.destroy();
    server.close();
  }
});

test('states attempts, timeouts beyond any function, and sockets for all slots; the caller may differ', () => {
  const { maxAttempts, requestHandler } = lambdaSettings({}, 70);
  assert.equal(maxAttempts, 1);
  const { requestTimeout, httpsAgent } = requestHandler as { requestTimeout: number; httpsAgent: object };
  assert.ok(requestTimeout > 900_000);
  assert.deepEqual(httpsAgent, { keepAlive: true, maxSockets: 70 });
  const own = lambdaSettings({ maxAttempts: 2, requestHandler: { connectionTimeout: 9 } }, 70);
  assert.equal(own.maxAttempts, 2);
  assert.deepEqual(own.requestHandler, { ...(requestHandler as object), connectionTimeout: 9 });
});
