/** Makes HTTP events as AWS sends them, one maker a source, typed by `@types/aws-lambda`. */

import type { ALBEvent, APIGatewayProxyEvent, APIGatewayProxyEventV2, LambdaFunctionURLEvent } from 'aws-lambda';

/** A request as a client sends it. */
export interface SentRequest {
  readonly method?: string;
  readonly path?: string;
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly query?: readonly (readonly [name: string, value: string])[];
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array | null;
}

const lists = (headers: SentRequest['headers'] = {}): [string, string[]][] =>
  Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? [value] : [...value]]);
const last = (entries: [string, string[]][]): Record<string, string> =>
  Object.fromEntries(entries.map(([name, values]) => [name, values.at(-1) ?? '']));

function group(pairs: SentRequest['query'] = []): [string, string[]][] {
  const groups = new Map<string, string[]>();
  for (const [name, value] of pairs) groups.set(name, [...(groups.get(name) ?? []), value]);
  return [...groups];
}

function encode(body: SentRequest['body']): { body: string | null; isBase64Encoded: boolean } {
  if (body instanceof Uint8Array) return { body: Buffer.from(body).toString('base64'), isBase64Encoded: true };
  return { body: body ?? null, isBase64Encoded: false };
}

/** API Gateway REST API, and HTTP API with payload format 1.0. */
export function makeRestEvent(sent: SentRequest = {}): APIGatewayProxyEvent {
  const { method = 'POST', path = '/orders' } = sent;
  const headers = lists(sent.headers);
  const query = group(sent.query);
  return {
    resource: path,
    path,
    httpMethod: method,
    headers: last(headers),
    multiValueHeaders: Object.fromEntries(headers),
    queryStringParameters: query.length === 0 ? null : last(query),
    multiValueQueryStringParameters: query.length === 0 ? null : Object.fromEntries(query),
    pathParameters: sent.pathParameters === undefined ? null : { ...sent.pathParameters },
    stageVariables: null,
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      authorizer: null,
      protocol: 'HTTP/1.1',
      httpMethod: method,
      identity: {
        accessKey: null,
        accountId: null,
        apiKey: null,
        apiKeyId: null,
        caller: null,
        clientCert: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: '127.0.0.1',
        user: null,
        userAgent: null,
        userArn: null,
      },
      path,
      stage: 'prod',
      requestId: 'request',
      requestTimeEpoch: 0,
      resourceId: 'resource',
      resourcePath: path,
    },
    ...encode(sent.body),
  };
}

/** API Gateway HTTP API, payload format 2.0. */
export function makeHttpEvent(sent: SentRequest = {}): APIGatewayProxyEventV2 {
  const { method = 'POST', path = '/orders' } = sent;
  const { body, isBase64Encoded } = encode(sent.body);
  const joined = lists(sent.headers).map(([name, values]) => [name.toLowerCase(), values.join(',')] as const);
  const query = group(sent.query);
  return {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: new URLSearchParams(
      (sent.query ?? []).map(([name, value]): [string, string] => [name, value]),
    ).toString(),
    headers: Object.fromEntries(joined),
    ...(query.length === 0
      ? {}
      : { queryStringParameters: Object.fromEntries(query.map(([name, values]) => [name, values.join(',')])) }),
    ...(sent.pathParameters === undefined ? {} : { pathParameters: { ...sent.pathParameters } }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api.execute-api.eu-central-1.amazonaws.com',
      domainPrefix: 'api',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'request',
      routeKey: `${method} ${path}`,
      stage: '$default',
      time: '01/Jan/2026:00:00:00 +0000',
      timeEpoch: 0,
    },
    ...(body === null ? {} : { body }),
    isBase64Encoded,
  };
}

/** A function URL: the HTTP API's format without routes. */
export function makeUrlEvent(sent: SentRequest = {}): LambdaFunctionURLEvent {
  const { pathParameters, ...rest } = sent;
  const event = makeHttpEvent(rest);
  const domainName = 'abc.lambda-url.eu-central-1.on.aws';
  return { ...event, routeKey: '$default', requestContext: { ...event.requestContext, domainName } };
}

/** A load balancer; `multi` when its target group has multi-value headers switched on. Queries stay encoded. */
export function makeAlbEvent(sent: SentRequest = {}, { multi = false } = {}): ALBEvent {
  const headers = lists(sent.headers).map(([name, values]): [string, string[]] => [name.toLowerCase(), values]);
  const query = group((sent.query ?? []).map(([name, value]) => [encodeURIComponent(name), encodeURIComponent(value)]));
  return {
    requestContext: {
      elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:eu-central-1:000000000000:targetgroup/orders/1' },
    },
    httpMethod: sent.method ?? 'POST',
    path: sent.path ?? '/orders',
    ...(multi
      ? { multiValueHeaders: Object.fromEntries(headers), multiValueQueryStringParameters: Object.fromEntries(query) }
      : { headers: last(headers), queryStringParameters: last(query) }),
    ...encode(sent.body),
    body: encode(sent.body).body ?? '', // a load balancer sends an empty text, never null
  };
}

/** Every source by a name for test titles. */
export const eventMakers: Readonly<Record<string, (sent?: SentRequest) => object>> = {
  'REST API': makeRestEvent,
  'HTTP API': makeHttpEvent,
  'function URL': makeUrlEvent,
  'load balancer': (sent) => makeAlbEvent(sent),
  'load balancer with multi-value headers': (sent) => makeAlbEvent(sent, { multi: true }),
};
