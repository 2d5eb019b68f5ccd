/** A connection of our own to one server that does not hear the answers to some requests, as long as a test wants. */

import { openLean } from '../../src/connection/lean/session.ts';
import type { Connection, DialOptions, RequestOptions } from '../../src/connection/port.ts';
import { wait } from '../../src/connection/within.ts';
import { MemphisError } from '../../src/model/errors.ts';
import type { GivenConnection } from '../../src/model/options/connect.ts';

export interface DeafConnection {
  /** As the option `connection`. */
  readonly connection: GivenConnection;
  /** So many requests to subjects that begin so are sent and never answered. */
  deafen(subject: string, times?: number): void;
  /** Requests to subjects that begin so are refused, as a broker does that does not let its user. */
  deny(subject: string): void;
  /** How many there were. */
  readonly unheard: number;
}

/** @param server `host:port`, without TLS */
export function deafConnection(server: string, others: Partial<DialOptions> = {}): DeafConnection {
  let deafTo = '';
  let left = 0;
  let unheard = 0;
  let denied: string | undefined;
  const request = async (session: Connection, subject: string, data: Uint8Array, options: RequestOptions) => {
    if (denied !== undefined && subject.startsWith(denied)) {
      unheard++;
      throw new MemphisError('PERMISSION_DENIED', `This user may not ask ${subject}.`);
    }
    if (left === 0 || !subject.startsWith(deafTo)) return session.request(subject, data, options);
    unheard++;
    left--;
    session.publish(subject, data, { reply: 'nobody', ...(options.headers && { headers: options.headers as [] }) });
    await wait(options.timeoutMs);
    throw new MemphisError('TIMEOUT', `No answer on ${subject}.`);
  };
  /** As a pull does, whose answers come on a subscription. */
  const publish = (session: Connection, ...[subject, data, options = {}]: Parameters<Connection['publish']>): void => {
    const isUnheard = left > 0 && options.reply !== undefined && subject.startsWith(deafTo);
    if (isUnheard) {
      unheard++;
      left--;
    }
    session.publish(subject, data, isUnheard ? { ...options, reply: 'nobody' } : options);
  };
  const open = ({ timeoutMs }: { readonly timeoutMs: number }): object => {
    const session = openLean({ server, name: 'deaf', timeoutMs, ...others });
    const own = { request: request.bind(undefined, session), publish: publish.bind(undefined, session) };
    return new Proxy(session, {
      get(target, key) {
        const value: unknown = Reflect.get(key in own ? own : target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
      set: (target, key, value) => Reflect.set(target, key, value),
    });
  };
  return {
    connection: { open },
    deafen(subject, times = Number.POSITIVE_INFINITY) {
      deafTo = subject;
      left = times;
    },
    deny(subject) {
      denied = subject;
    },
    get unheard() {
      return unheard;
    },
  };
}
