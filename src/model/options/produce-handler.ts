/** Options of `produceHandler`. */

import { isRecord } from '../fields.ts';
import { DAY_MS, type GivenOver, must, off } from '../option-spec.ts';
import type { StandardSchema } from '../standard-schema.ts';
import { producingOptions } from './producer-function.ts';

/** Where a request carries the partition key: exactly one of the three, with the name to look under. */
export type KeyPlace = { readonly header: string } | { readonly path: string } | { readonly query: string };

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/** Names that a message header may have and that toolkit and server do not keep for themselves. */
function isPassableHeader(value: unknown): boolean {
  return typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(value) && !/^(\$memphis|nats-)/i.test(value);
}

/** `produceHandler`: these beside those of `connectOptions`. */
export const produceHandlerOptions = {
  ...producingOptions,
  /**
   * Milliseconds to store, the dial included; cut to what the invocation has left, and to what a gateway waits.
   *
   * @default 5000
   */
  ackWaitMs: { min: 1, max: DAY_MS, fallback: 5_000 },
  /** A Standard Schema validator (valibot, zod, arktype); bodies must be JSON then. */
  schema: {
    read: (value: unknown) => {
      const held = (typeof value === 'object' || typeof value === 'function') && value !== null;
      const standard = held ? (value as Partial<StandardSchema>)['~standard'] : undefined;
      if (typeof standard?.validate === 'function' && standard.version === 1) return value as StandardSchema;
      return must('a validator that speaks Standard Schema 1 (zod, valibot, arktype, ...)');
    },
    fallback: undefined as StandardSchema | undefined,
  },
  /** Where a request carries the partition key; a request without it is answered with 400. */
  partitionKey: {
    read: (value: unknown) => {
      const [place, ...more] = isRecord(value) ? Object.entries(value) : [];
      const isOne = place !== undefined && more.length === 0;
      if (isOne && ['header', 'path', 'query'].includes(place[0]) && isName(place[1])) return value as KeyPlace;
      return must('{ header: name }, { path: name } or { query: name }');
    },
    fallback: undefined as KeyPlace | undefined,
  },
  /** A body is a JSON array, and each element a message. @default false */
  batch: off,
  /** Names of request headers that become message headers. @default [] */
  headers: {
    read: (value: unknown) =>
      Array.isArray(value) && [...value].every(isPassableHeader)
        ? (value as readonly string[])
        : must('a list of header names, none of them reserved ($memphis..., Nats-...)'),
    fallback: [] as readonly string[],
  },
} as const;

/** What callers give of them. */
export type GivenForRequests = GivenOver<typeof produceHandlerOptions, typeof producingOptions, 'ackWaitMs'>;
