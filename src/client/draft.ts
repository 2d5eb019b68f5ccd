/** A message as it was handed in, its options checked and its payload written as bytes. Pure. */

import { isMemphisError, MemphisError } from '../model/errors.ts';
import { checkHeader } from '../model/headers.ts';
import type { Given } from '../model/option-spec.ts';
import { produceOptions } from '../model/options/produce.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { isBytes, toBytes } from './payload.ts';

const messageOptions = {
  headers: produceOptions.headers,
  msgId: produceOptions.msgId,
  partitionKey: produceOptions.partitionKey,
  partition: produceOptions.partition,
} as const;

/** What belongs to one message, whichever way it is produced. */
export type MessageOptions = Pick<Given<typeof produceOptions>, keyof typeof messageOptions>;

/** A message that may be sent as far as this side can tell without its station. */
export interface Draft extends MessageOptions {
  readonly message: unknown;
  /** Without a schema; nothing where only a schema may say how it is written. */
  readonly data: Uint8Array | undefined;
  /** Why there is none. */
  readonly unwritable: unknown;
}

/**
 * @param where what was called, for the error text
 * @throws MemphisError `INVALID_OPTION`, `INVALID_MESSAGE`
 */
export function toDraft(where: string, message: unknown, given: MessageOptions): Draft {
  const { headers, msgId, partitionKey, partition } = given;
  if (msgId !== undefined) {
    if (msgId.trim() === '') {
      throw new MemphisError('INVALID_OPTION', `${where}: msgId must not be blank.`, { option: 'msgId' });
    }
    checkHeader('msg-id', msgId); // that is how it travels
  }
  if (headers !== undefined) for (const name of Object.keys(headers)) checkHeader(name, headers[name] as string);
  let data: Uint8Array | undefined;
  let unwritable: unknown;
  try {
    data = toBytes(message);
  } catch (error) {
    if (typeof message !== 'object' || message === null || isBytes(message)) throw error;
    unwritable = error;
  }
  return { message, data, unwritable, headers, msgId, partitionKey, partition };
}

/** The options of one message of a batch. @throws MemphisError `INVALID_OPTION` */
export function readMessageOptions(where: string, read: () => unknown): MessageOptions {
  let given: unknown;
  try {
    given = read();
  } catch (cause) {
    throw new MemphisError('INVALID_OPTION', `${where}: optionsFor failed; see the cause.`, {
      cause,
      option: 'optionsFor',
    });
  }
  return resolveOptions(where, messageOptions, given);
}

/** Runs a check of one message of a batch; its error names the message. */
export function atIndex<T>(index: number, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!isMemphisError(error)) throw error;
    const { code, message, cause, station, option, issues, retryable } = error;
    throw new MemphisError(code, `Message ${index} of the batch, nothing of which was sent: ${message}`, {
      index,
      retryable,
      ...(cause === undefined ? {} : { cause }),
      ...(station === undefined ? {} : { station }),
      ...(option === undefined ? {} : { option }),
      ...(issues === undefined ? {} : { issues }),
    });
  }
}
