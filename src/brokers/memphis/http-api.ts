/**
 * The HTTP API of a Memphis broker, beside its NATS side: the only way to its rows of dead letters (memphis-wire 10.3).
 * Administration alone needs it. It wants a user who may log in there: `root`, or one of type `management`.
 */

import { describeError, MemphisError } from '../../model/errors.ts';
import { isJson, type Json } from '../jetstream/wire/api.ts';

const LIMIT_MS = 20_000;

/** Where it is and who asks. */
export interface ApiAccess {
  /** `http://host:port`. */
  readonly url: string;
  readonly username: string;
  readonly password: () => Promise<string | undefined>;
}

export class HttpApi {
  readonly #access: ApiAccess;
  #token: Promise<string> | undefined;

  constructor(access: ApiAccess) {
    this.#access = access;
  }

  /**
   * @param path behind `/api/`
   * @throws MemphisError `CONNECT_FAILED`, `AUTHENTICATION_FAILED`, `BROKER_REFUSED`, `STATION_NOT_FOUND`
   */
  get(path: string, query: Readonly<Record<string, string | number>>): Promise<unknown> {
    const search = new URLSearchParams(
      Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
    );
    return this.#call('GET', `${path}?${search}`);
  }

  post(path: string, body: Json): Promise<unknown> {
    return this.#call('POST', path, body);
  }

  put(path: string, body: Json): Promise<unknown> {
    return this.#call('PUT', path, body);
  }

  delete(path: string, body: Json): Promise<unknown> {
    return this.#call('DELETE', path, body);
  }

  async #call(method: string, path: string, body?: Json): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      this.#token ??= this.#logIn();
      const token = await this.#token.catch((error: unknown) => {
        this.#token = undefined;
        throw error;
      });
      const { status, reply } = await this.#send(method, path, { authorization: `Bearer ${token}` }, body);
      if (status === 401 && tries === 1) {
        this.#token = undefined; // it is good for fifteen minutes
        continue;
      }
      if (status < 300) return reply;
      throw refused(path, status, reply);
    }
  }

  async #logIn(): Promise<string> {
    const { username, password } = this.#access;
    const { status, reply } = await this.#send('POST', 'usermgmt/login', {}, { username, password: await password() });
    if (status < 300 && isJson(reply) && typeof reply.jwt === 'string') return reply.jwt;
    if (status >= 500) {
      throw new MemphisError(
        'BROKER_REFUSED',
        `The HTTP API of the broker lets nobody in at the moment (status ${status}): its database may be away.`,
        { retryable: true },
      );
    }
    throw new MemphisError(
      'AUTHENTICATION_FAILED',
      `The HTTP API of the broker lets user ${username} not in: it takes root and users of type management, with their password. ` +
        'Name one in apiUrl.',
      { option: 'apiUrl' },
    );
  }

  async #send(method: string, path: string, headers: Readonly<Record<string, string>>, body?: Json) {
    const { url } = this.#access;
    try {
      const response = await fetch(`${url}/api/${path}`, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      const text = await response.text();
      return { status: response.status, reply: parse(text) };
    } catch (cause) {
      throw new MemphisError(
        'CONNECT_FAILED',
        `Could not reach the HTTP API of the broker at ${url}: ${describeError(cause)}. Set apiUrl where it is elsewhere.`,
        { cause, option: 'apiUrl' },
      );
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // an empty answer, or a page of something else
  }
}

function refused(path: string, status: number, reply: unknown): MemphisError {
  const words = isJson(reply) && typeof reply.message === 'string' ? reply.message : `status ${status}`;
  const isMissing = /does not exist/i.test(words);
  const missing = /^schema/i.test(words) ? 'SCHEMA_NOT_FOUND' : 'STATION_NOT_FOUND';
  const code = isMissing && /^(schema|station)\b/i.test(words) ? missing : 'BROKER_REFUSED';
  return new MemphisError(code, `The HTTP API of the broker refused ${path.replace(/\?.*/, '')}: ${words}.`);
}
