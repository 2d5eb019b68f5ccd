/** Headers on the wire <-> headers as users see them. `$memphis...` and `Nats-...` belong to toolkit and server. */

import type { HeaderList } from '../../connection/port.ts';
import { checkHeader, isReserved } from '../../model/headers.ts';
import type { Headers } from '../../model/message.ts';

/** On a broker of Memphis message ids travel among users' headers; ours begin so. */
export const OWN_ID_PREFIX = '~ms.';

/** Whether a header is an id that we gave because the user had none. */
export const isOwnId = (name: string, value: string): boolean => name === 'msg-id' && value.startsWith(OWN_ID_PREFIX);

/** Users' view: without the reserved names; the first value of a repeated name. */
export function toUserHeaders(headers: HeaderList): Headers {
  const visible: Record<string, string> = {};
  for (const [wireName, value] of headers) {
    const name = wireName === '$memphis_kept_msg-id' ? 'msg-id' : wireName;
    if (isReserved(name) || isOwnId(name, value) || Object.hasOwn(visible, name)) continue;
    if (name !== '__proto__') visible[name] = value;
    else Object.defineProperty(visible, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return visible;
}

/**
 * Checks headers that a user wants to send.
 *
 * @throws MemphisError `INVALID_MESSAGE`; names the header, never its value
 */
export function fromUserHeaders(headers: Headers): HeaderList {
  const list: [name: string, value: string][] = [];
  addUserHeaders(list, headers);
  return list;
}

/** Adds them to others. @throws MemphisError as there */
export function addUserHeaders(list: [name: string, value: string][], headers: Headers): void {
  for (const name of Object.keys(headers)) addUserHeader(list, name, headers[name] as string);
}

/** Adds one of them. @throws MemphisError as there */
export function addUserHeader(list: [name: string, value: string][], name: string, value: string): void {
  checkHeader(name, value);
  list.push([name, value.trim()]);
}

/** The first value of a name, or nothing. */
export function headerOf(headers: HeaderList, name: string): string | undefined {
  for (const header of headers) if (header[0] === name) return header[1];
  return undefined;
}
