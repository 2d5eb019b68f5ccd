import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ALBResult, APIGatewayProxyResult, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import fc from 'fast-check';
import { type ApiAnswer, makeApiAnswer, readApiEvent } from '../../src/lambda/api-event.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import {
  eventMakers,
  makeAlbEvent,
  makeHttpEvent,
  makeRestEvent,
  makeUrlEvent,
  type SentRequest,
} from '../support/api-events.ts';

const sent: SentRequest = {
  method: 'POST',
  path: '/customers/7/orders',
  pathParameters: { customer: '7' },
  query: [
    ['region', 'eu west/1'],
    ['tag', 'a'],
    ['tag', 'b'],
  ],
  headers: { 'Idempotency-Key': 'k-1', 'X-Tenant': ['one', 'two'] },
  body: '{"id":1}',
};

for (const [source, make] of Object.entries(eventMakers)) {
  test(`a ${source} event becomes the same plain request`, () => {
    const request = readApiEvent(make(sent));
    assert.equal(request.method, 'POST');
    assert.equal(request.headers.get('idempotency-key'), 'k-1');
    assert.equal(request.query.get('region'), 'eu west/1');
    assert.equal(new TextDecoder().decode(request.body), '{"id":1}');
  });

  test(`a ${source} event with a binary body gives its bytes`, () => {
    const bytes = Uint8Array.of(0, 255, 128, 10);
    assert.deepEqual(readApiEvent(make({ ...sent, body: bytes })).body, bytes);
  });

  test(`a ${source} event without a body has no bytes`, () => {
    assert.equal(readApiEvent(make({ ...sent, body: null })).body?.length, 0);
  });

  test(`base64 of a ${source} event that cannot be read gives no body at all`, () => {
    for (const body of ['a', 'abc', '****', 'YQ=a', 'YWJj\n', '=', 'YQ']) {
      assert.equal(readApiEvent({ ...make(sent), body, isBase64Encoded: true }).body, undefined, body);
    }
  });
}

test('path parameters exist where there are routes only', () => {
  assert.equal(readApiEvent(makeRestEvent(sent)).pathParameters?.get('customer'), '7');
  assert.equal(readApiEvent(makeHttpEvent(sent)).pathParameters?.get('customer'), '7');
  assert.equal(readApiEvent(makeUrlEvent(sent)).pathParameters, undefined);
  assert.equal(readApiEvent(makeAlbEvent(sent)).pathParameters, undefined);
});

test('an event made by hand may have its query parameters without the raw text of them', () => {
  for (const rawQueryString of ['', undefined]) {
    const event = { ...makeHttpEvent(), rawQueryString, queryStringParameters: { tag: 'a' } };
    assert.equal(readApiEvent(event).query.get('tag'), 'a');
  }
});

test('a repeated query parameter has its first value where the source tells all of them', () => {
  assert.equal(readApiEvent(makeRestEvent(sent)).query.get('tag'), 'a');
  assert.equal(readApiEvent(makeHttpEvent(sent)).query.get('tag'), 'a');
  assert.equal(readApiEvent(makeAlbEvent(sent, { multi: true })).query.get('tag'), 'a');
});

test('queries of a load balancer are decoded, and kept as they are where they cannot be', () => {
  const { query } = readApiEvent({ ...makeAlbEvent(), queryStringParameters: { a: 'b+c%20d', e: '%zz' } });
  assert.deepEqual(
    [...query],
    [
      ['a', 'b c d'],
      ['e', '%zz'],
    ],
  );
});

test('values of a repeated header are joined by a comma', () => {
  for (const event of [makeRestEvent(sent), makeHttpEvent(sent), makeAlbEvent(sent, { multi: true })]) {
    assert.equal(readApiEvent(event).headers.get('x-tenant'), 'one,two');
  }
});

test('names that objects inherit are no headers and no parameters', () => {
  const request = readApiEvent(makeRestEvent());
  for (const name of ['constructor', '__proto__', 'tostring']) {
    assert.equal(request.headers.get(name), undefined);
    assert.equal(request.query.get(name), undefined);
  }
});

test('an answer has the shape that its source wants', () => {
  const answer = (event: object): ApiAnswer => makeApiAnswer(readApiEvent(event), 405, {}, { Allow: 'POST' });
  const rest: APIGatewayProxyResult = answer(makeRestEvent());
  const http: APIGatewayProxyStructuredResultV2 = answer(makeHttpEvent());
  const alb: ALBResult = answer(makeAlbEvent());
  const multi: ALBResult = answer(makeAlbEvent({ headers: { a: 'b' } }, { multi: true }));
  const headers = { 'Content-Type': 'application/json', Allow: 'POST' };
  const plain = { statusCode: 405, headers, body: '{}', isBase64Encoded: false };
  assert.deepEqual(rest, plain);
  assert.deepEqual(http, plain);
  assert.deepEqual(alb, { ...plain, statusDescription: '405 Method Not Allowed' });
  assert.deepEqual(multi.multiValueHeaders, { 'Content-Type': ['application/json'], Allow: ['POST'] });
  assert.equal(multi.headers, undefined);
});

for (const event of [
  undefined,
  null,
  'text',
  [],
  {},
  { Records: [] },
  { httpMethod: 'POST' },
  { eventSource: 'memphis', messages: [] },
  { requestContext: { http: {} } },
  { ...makeRestEvent(), body: 7 },
  { ...makeHttpEvent(), body: {} },
]) {
  test(`${JSON.stringify(event)?.slice(0, 60)} is refused as no HTTP event`, () => {
    assert.throws(() => readApiEvent(event), { code: 'INVALID_EVENT' });
  });
}

/** Events with fields of any kind where AWS has one of a certain kind. */
const hostile = fc.record(
  {
    version: fc.anything(),
    httpMethod: fc.oneof(fc.string(), fc.anything()),
    path: fc.anything(),
    headers: fc.oneof(fc.dictionary(fc.string(), fc.anything()), fc.anything()),
    multiValueHeaders: fc.oneof(fc.dictionary(fc.string(), fc.array(fc.anything())), fc.anything()),
    queryStringParameters: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.anything()),
    rawQueryString: fc.anything(),
    pathParameters: fc.anything(),
    requestContext: fc.oneof(
      fc.record({ http: fc.record({ method: fc.string() }), domainName: fc.anything() }),
      fc.record({ elb: fc.object() }),
      fc.object(),
      fc.anything(),
    ),
    body: fc.oneof(fc.string(), fc.base64String(), fc.anything()),
    isBase64Encoded: fc.oneof(fc.boolean(), fc.anything()),
  },
  { requiredKeys: [] },
);

test('any event is read or refused with INVALID_EVENT', () => {
  fc.assert(
    fc.property(fc.oneof(hostile, fc.anything()), (event) => {
      try {
        assert.equal(typeof readApiEvent(event).method, 'string');
      } catch (error) {
        assert.ok(isMemphisError(error, 'INVALID_EVENT'), String(error));
      }
    }),
    { numRuns: 500 },
  );
});
