/** Headers on the wire <-> headers as users see them. `$memphis...` and `Nats-...` belong to toolkit and server. */

import type { HeaderLines, HeaderList } from '../../connection/port.ts';
import { checkHeader, isReserved } from '../../model/headers.ts';
import type { Headers } from '../../model/message.ts';

/** On a broker of Memphis message ids travel among users' headers; ours begin so. */
export const OWN_ID_PREFIX = '~ms.';

/** Whether a header is an id that we gave because the user had none. */
export function isOwnId(name: string, value: string): boolean {
  return name === 'msg-id' && value.startsWith(OWN_ID_PREFIX);
}

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
  return Object.entries(headers).map(([name, value]) => {
    checkHeader(name, value);
    return [name, value.trim()] as const;
  });
}

/** One of them as it is sent. @throws MemphisError as there */
export function userLine(name: string, value: string): HeaderLines {
  checkHeader(name, value);
  return `${name}: ${value.trim()}\r\n`;
}

/** The first value of a name, or nothing. */
export function headerOf(headers: HeaderList, name: string): string | undefined {
  for (const header of headers) if (header[0] === name) return header[1];
  return undefined;
}
