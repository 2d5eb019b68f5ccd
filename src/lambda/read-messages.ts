/** A request -> the messages in it, or why it has none that may be stored. Nothing is stored before all is checked. */

import { MemphisError } from '../model/errors.ts';
import type { Headers } from '../model/message.ts';
import type { Resolved } from '../model/option-spec.ts';
import type { KeyPlace, produceHandlerOptions } from '../model/options/produce-handler.ts';
import type { StandardSchema } from '../model/standard-schema.ts';
import { findIssues, type Issue } from '../schemas/standard-issues.ts';
import type { ApiRequest } from './api-event.ts';
import { splitJsonArray } from './json-array.ts';

/** One message of a request. */
export interface RequestMessage {
  /** The bytes as they were sent: what a schema fills in or converts is not stored. */
  readonly data: Uint8Array;
  readonly headers: Headers;
  readonly msgId?: string;
  readonly partitionKey?: string;
}

/** Why a request is refused, ready to be sent. */
export interface Refusal {
  readonly status: number;
  readonly error: { readonly code: string; readonly message: string; readonly issues?: readonly Issue[] };
  readonly headers?: Readonly<Record<string, string>>;
}

export type Reading =
  | { readonly messages: readonly RequestMessage[]; readonly refusal?: undefined }
  | { readonly refusal: Refusal };

type Settings = Pick<Resolved<typeof produceHandlerOptions>, 'schema' | 'partitionKey' | 'batch' | 'headers'>;

/** Messages of one batch; more would not be confirmed within a gateway's patience. */
const MAX_BATCH = 1_000;
/** Of an idempotency key; what is longer is no id. */
const MAX_KEY_LENGTH = 255;

function refused(status: number, code: string, message: string, issues?: readonly Issue[]): { refusal: Refusal } {
  return { refusal: { status, error: { code, message, ...(issues === undefined ? {} : { issues }) } } };
}

function malformed(message: string): { refusal: Refusal } {
  return refused(400, 'INVALID_MESSAGE', message);
}

/** @throws MemphisError `INVALID_OPTION` when the partition key cannot be where the options say; what a validator throws */
export async function readMessages(request: ApiRequest, settings: Settings): Promise<Reading> {
  if (request.method !== 'POST' && request.method !== 'PUT') {
    const { refusal } = refused(405, 'METHOD_NOT_ALLOWED', 'Messages are sent with POST or PUT.');
    return { refusal: { ...refusal, headers: { Allow: 'POST, PUT' } } };
  }
  const { body } = request;
  if (body === undefined) return malformed('The body is not valid base64.');
  if (body.length === 0) return malformed('The body is empty.');
  const idempotencyKey = request.headers.get('idempotency-key')?.trim();
  if (idempotencyKey === '') return malformed('The header Idempotency-Key is empty.');
  if (idempotencyKey !== undefined && idempotencyKey.length > MAX_KEY_LENGTH) {
    return malformed(`The header Idempotency-Key is longer than ${MAX_KEY_LENGTH} characters.`);
  }
  const partitionKey = readPartitionKey(request, settings.partitionKey);
  if (partitionKey === '') return malformed(`The request has no ${describe(settings.partitionKey)}.`);
  const common = {
    headers: passOn(request, settings.headers),
    ...(partitionKey === undefined ? {} : { partitionKey }),
  };
  if (settings.batch) return readBatch(body, settings.schema, common, idempotencyKey);
  // Without a key the driver makes an id: ids of gateways are no substitute, since local emulators repeat theirs
  const msgId = idempotencyKey === undefined ? {} : { msgId: idempotencyKey };
  if (settings.schema !== undefined) {
    const json = parse(body);
    if (json === undefined) return malformed('The body is not valid JSON.');
    const issues = await findIssues(settings.schema, json.value);
    if (issues !== undefined) return violation(issues);
  }
  return { messages: [{ ...common, ...msgId, data: body }] };
}

async function readBatch(
  body: Uint8Array,
  schema: StandardSchema | undefined,
  common: Pick<RequestMessage, 'headers' | 'partitionKey'>,
  idempotencyKey: string | undefined,
): Promise<Reading> {
  const json = parse(body);
  if (json === undefined) return malformed('The body is not valid JSON.');
  const { value, text } = json;
  if (!Array.isArray(value)) return malformed('The body must be a JSON array of messages.');
  if (value.length === 0) return malformed('The array of messages is empty.');
  if (value.length > MAX_BATCH) {
    return refused(413, 'PAYLOAD_TOO_LARGE', `A batch takes ${MAX_BATCH} messages at most.`);
  }
  const issues: Issue[] = [];
  for (const [index, element] of schema === undefined ? [] : value.entries()) {
    const found = schema === undefined ? undefined : await findIssues(schema, element);
    issues.push(...(found ?? []).map(({ path, message }) => ({ path: [index, ...path], message })));
    if (issues.length >= 100) break;
  }
  if (issues.length > 0) return violation(issues);
  const encoder = new TextEncoder();
  const messages = splitJsonArray(text).map((element, index) => ({
    ...common,
    ...(idempotencyKey === undefined ? {} : { msgId: `${idempotencyKey}-${index}` }),
    data: encoder.encode(element),
  }));
  return { messages };
}

function violation(issues: readonly Issue[]): { refusal: Refusal } {
  return refused(422, 'SCHEMA_VIOLATION', 'The message does not satisfy its schema; nothing was stored.', issues);
}

/** Nothing for what is no JSON in UTF-8. */
function parse(body: Uint8Array): { readonly value: unknown; readonly text: string } | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return { value: JSON.parse(text), text };
  } catch {
    return undefined;
  }
}

/** Nothing when none is asked for, '' when the request lacks it: stored without, it would lose its order unseen. */
function readPartitionKey(request: ApiRequest, place: KeyPlace | undefined): string | undefined {
  if (place === undefined) return undefined;
  if ('header' in place) return request.headers.get(place.header.toLowerCase())?.trim() ?? '';
  if ('query' in place) return request.query.get(place.query) ?? '';
  if (request.pathParameters !== undefined) return request.pathParameters.get(place.path) ?? '';
  throw new MemphisError(
    'INVALID_OPTION',
    'produceHandler: partitionKey names a path parameter, but function URLs and load balancers have none; use header or query.',
    { option: 'partitionKey' },
  );
}

function describe(place: KeyPlace | undefined): string {
  const [kind, name] = Object.entries(place ?? {})[0] ?? [];
  return kind === 'path' ? `path parameter ${name}` : kind === 'query' ? `query parameter ${name}` : `header ${name}`;
}

function passOn(request: ApiRequest, names: readonly string[]): Headers {
  const found = names.map((name) => [name, request.headers.get(name.toLowerCase())] as const);
  return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
