/** What an error means to an HTTP client: error code -> status. Pure; says nothing of the inside. */

import { type ErrorCode, isMemphisError } from '../model/errors.ts';

/** How a failure is answered. */
export interface ApiFailure {
  readonly status: number;
  readonly code: string;
  /** For the client: neither names, addresses nor the broker's words. */
  readonly message: string;
  /** Seconds; present where the same request may succeed later. */
  readonly retryAfterSeconds?: number;
}

/**
 * Statuses by error code. What is not listed is for this function's owner to put right, and a 500, never a 401 or 403: refused
 * broker credentials are ours, not the client's. What passes by itself is a 503; 504 says that nothing was confirmed in time.
 */
export const statusByCode: Readonly<Partial<Record<ErrorCode, number>>> = {
  INVALID_MESSAGE: 400,
  PAYLOAD_TOO_LARGE: 413,
  CONNECT_FAILED: 503,
  CONNECTION_LOST: 503,
  PROTOCOL_ERROR: 503,
  CLOSED: 503, // this environment is being ended; another one takes the next request
  TIMEOUT: 504,
  JETSTREAM_UNAVAILABLE: 503,
  STORAGE_FULL: 503,
  DEADLINE_EXCEEDED: 504,
  SCHEMA_VIOLATION: 422,
};

/** An election takes 4 to 7 s; a full station is emptied by its retention or by people. */
const RETRY_AFTER_SECONDS = 5;
const RETRY_AFTER_FULL_SECONDS = 30;

const failures: Readonly<Record<number, Omit<ApiFailure, 'status'>>> = {
  400: { code: 'INVALID_MESSAGE', message: 'The request cannot be sent on as a message.' },
  413: { code: 'PAYLOAD_TOO_LARGE', message: 'The message is too large.' },
  422: { code: 'SCHEMA_VIOLATION', message: 'The message does not satisfy its schema.' },
  500: { code: 'INTERNAL_ERROR', message: 'The message was not accepted because of a fault on our side.' },
  // where the connection ended under way it may be stored all the same
  503: { code: 'UNAVAILABLE', message: 'Not available. Try again later, with the same Idempotency-Key.' },
  504: {
    code: 'TIMEOUT',
    message: 'Nothing confirmed in time that the message is stored. Repeat the request with the same Idempotency-Key.',
  },
};

/** The answer to anything thrown while a message was checked or stored. */
export function toApiFailure(error: unknown): ApiFailure {
  const known = isMemphisError(error) ? (statusByCode[error.code] ?? 500) : 500;
  const { code, message } = failures[known] ?? { code: 'INTERNAL_ERROR', message: '' };
  if (known !== 503) return { status: known, code, message };
  const isFull = isMemphisError(error, 'STORAGE_FULL');
  return { status: known, code, message, retryAfterSeconds: isFull ? RETRY_AFTER_FULL_SECONDS : RETRY_AFTER_SECONDS };
}
