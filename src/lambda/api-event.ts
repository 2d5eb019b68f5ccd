/**
 * HTTP events of AWS <-> one plain request and its answer: API Gateway REST (payload 1.0), HTTP API (2.0), function URL,
 * and Application Load Balancer with headers of one or of several values. Pure.
 */

import { MemphisError } from '../model/errors.ts';

/** Who sent an event: it decides on the answer's shape. */
export type ApiSource = 'rest' | 'http' | 'url' | 'alb';

/** A request, the same whoever passed it on. */
export interface ApiRequest {
  readonly source: ApiSource;
  /** Upper case. */
  readonly method: string;
  /** Values of the route's placeholders; absent where the source has no routes (ALB, function URL). */
  readonly pathParameters?: ReadonlyMap<string, string>;
  /** Decoded; the first value of a repeated name. */
  readonly query: ReadonlyMap<string, string>;
  /** Names in lower case; values of a repeated name joined by a comma, as HTTP APIs do. */
  readonly headers: ReadonlyMap<string, string>;
  /** The bytes as they were sent; absent when their base64 cannot be read. */
  readonly body?: Uint8Array;
  /** The load balancer sends and takes several values a header (an attribute of its target group). */
  readonly hasMultiValueHeaders: boolean;
}

/** What a source takes for an answer: assignable to the result types of `@types/aws-lambda`. */
export interface ApiAnswer {
  readonly statusCode: number;
  readonly headers?: Record<string, string>;
  readonly multiValueHeaders?: Record<string, string[]>;
  readonly statusDescription?: string;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** @throws MemphisError `INVALID_EVENT` for anything but the four kinds of HTTP event */
export function readApiEvent(event: unknown): ApiRequest {
  if (!isFields(event)) return refuse();
  const context = fieldsOf(event.requestContext);
  if (isFields(context.http)) return readVersion2(event, context, context.http);
  if (isFields(event.requestContext) && typeof event.httpMethod === 'string') {
    return isFields(context.elb) ? readAlb(event, event.httpMethod) : readRest(event, event.httpMethod);
  }
  return refuse();
}

function refuse(): never {
  throw new MemphisError(
    'INVALID_EVENT',
    'This event is no HTTP request: expected one of API Gateway (REST or HTTP API), a function URL or a load balancer.',
  );
}

function readVersion2(event: Fields, context: Fields, http: Fields): ApiRequest {
  if (typeof http.method !== 'string') return refuse();
  const isUrl = /\.lambda-url\./.test(textOf(context.domainName));
  return {
    source: isUrl ? 'url' : 'http',
    method: http.method.toUpperCase(),
    ...(isUrl ? {} : { pathParameters: toMap(event.pathParameters) }),
    // the raw text first: queryStringParameters, which events made by hand have, joins repeated names by a comma that cannot
    // be told from a value's own
    query: firstValues([...new URLSearchParams(textOf(event.rawQueryString)), ...toMap(event.queryStringParameters)]),
    headers: toHeaders(event),
    hasMultiValueHeaders: false,
    ...readBody(event),
  };
}

function readRest(event: Fields, method: string): ApiRequest {
  return {
    source: 'rest',
    method: method.toUpperCase(),
    pathParameters: toMap(event.pathParameters),
    query: toMap(event.queryStringParameters, event.multiValueQueryStringParameters),
    headers: toHeaders(event),
    hasMultiValueHeaders: false,
    ...readBody(event),
  };
}

function readAlb(event: Fields, method: string): ApiRequest {
  const raw = toMap(event.queryStringParameters, event.multiValueQueryStringParameters);
  return {
    source: 'alb',
    method: method.toUpperCase(),
    // a load balancer does not decode them (its guide, "Receive events from the load balancer")
    query: new Map([...raw].map(([name, value]) => [decodeQuery(name), decodeQuery(value)])),
    headers: toHeaders(event),
    hasMultiValueHeaders: isFields(event.multiValueHeaders),
    ...readBody(event),
  };
}

function decodeQuery(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

function firstValues(entries: Iterable<readonly [string, string]>): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of entries) if (!values.has(name)) values.set(name, value);
  return values;
}

/** Names and texts of an object; `multi` has lists of values for the same names and goes first. */
function toMap(single: unknown, multi?: unknown): Map<string, string> {
  const lists = Object.entries(fieldsOf(multi)).map(([name, list]) => [
    name,
    Array.isArray(list) ? list[0] : undefined,
  ]);
  const entries = [...lists, ...Object.entries(fieldsOf(single))];
  return firstValues(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function toHeaders(event: Fields): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(fieldsOf(event.headers))) {
    if (typeof value === 'string') headers.set(name.toLowerCase(), value);
  }
  for (const [name, values] of Object.entries(fieldsOf(event.multiValueHeaders))) {
    if (!Array.isArray(values)) continue;
    const texts = values.filter((value) => typeof value === 'string');
    if (texts.length > 0) headers.set(name.toLowerCase(), texts.join(','));
  }
  return headers;
}

function readBody(event: Fields): { readonly body?: Uint8Array } {
  const { body } = event;
  if (body === null || body === undefined) return { body: new Uint8Array() };
  if (typeof body !== 'string') return refuse();
  // as it stands it would be stored in base64, or torn: whoever made this event must say which it is
  if (!['boolean', 'undefined'].includes(typeof (event.isBase64Encoded ?? undefined))) return refuse();
  if (event.isBase64Encoded !== true) return { body: new TextEncoder().encode(body) };
  // Buffer skips what is no base64: a damaged body would be stored as a different one
  const isBase64 = body.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(body);
  return isBase64 ? { body: Uint8Array.from(Buffer.from(body, 'base64')) } : {};
}

/** Words behind the number, which a load balancer wants. */
const phrases: Readonly<Record<number, string>> = {
  202: 'Accepted',
  207: 'Multi-Status',
  400: 'Bad Request',
  405: 'Method Not Allowed',
  413: 'Payload Too Large',
  422: 'Unprocessable Entity',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** An answer with a JSON body, in the shape that the sender of the request takes. */
export function makeApiAnswer(
  request: Pick<ApiRequest, 'source' | 'hasMultiValueHeaders'>,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer {
  const all: Record<string, string> = { 'Content-Type': 'application/json', ...headers };
  // a load balancer in multi-value mode ignores `headers`
  const held = request.hasMultiValueHeaders
    ? { multiValueHeaders: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [value]])) }
    : { headers: all };
  return {
    statusCode: status,
    ...(request.source === 'alb' ? { statusDescription: `${status} ${phrases[status] ?? 'Unknown'}` } : {}),
    ...held,
    body: JSON.stringify(body),
    isBase64Encoded: false,
  };
}
