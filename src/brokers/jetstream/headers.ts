/** Headers on the wire <-> headers as users see them. `$memphis...` and `Nats-...` belong to toolkit and server. */

import type { HeaderList } from '../../connection/port.ts';
import { MemphisError } from '../../model/errors.ts';
import type { Headers } from '../../model/message.ts';

const isReserved = (name: string): boolean => name.startsWith('$memphis') || /^nats-/i.test(name);

/** Users' view: without the reserved names; the first value of a repeated name. */
export function toUserHeaders(headers: HeaderList): Headers {
  const visible: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (isReserved(name) || Object.hasOwn(visible, name)) continue;
    // not by assignment: a header named __proto__ is one like any other
    Object.defineProperty(visible, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return visible;
}

/**
 * Checks headers that a user wants to send.
 *
 * @throws MemphisError `INVALID_MESSAGE`; names the header, never its value
 */
export function fromUserHeaders(headers: Headers): HeaderList {
  return Object.entries(headers).map(([name, value]) => {
    const refuse = (why: string): never => {
      throw new MemphisError('INVALID_MESSAGE', `The header ${JSON.stringify(name.slice(0, 100))} ${why}.`);
    };
    if (isReserved(name)) refuse('has a reserved name ($memphis... and Nats-... are taken)');
    // visible ASCII but the colon that ends a name
    if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name)) refuse('has a name with characters that headers cannot carry');
    if (/[\r\n\0]/.test(value)) refuse('has a value with a line break or NUL');
    return [name, value.trim()] as const;
  });
}

/** The first value of a name, or nothing. */
export function headerOf(headers: HeaderList, name: string): string | undefined {
  return headers.find(([known]) => known === name)?.[1];
}
