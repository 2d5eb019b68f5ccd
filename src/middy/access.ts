/** How a middleware reaches its broker: settings of the connection, where its secret comes from, how long it is kept. */

import { MemphisError } from '../model/errors.ts';
import type { Resolved } from '../model/option-spec.ts';
import { connectOptions } from '../model/options/connect.ts';
import type { middyOptions } from '../model/options/middy.ts';
import { pickOptions } from '../model/resolve-options.ts';
import { withoutDriver } from '../model/without-driver.ts';
import { type Keeping, type Lease, leaseSession, warmSession } from './kept-session.ts';
import type { MiddyRequest } from './request.ts';

export type AccessSettings = Resolved<typeof connectOptions> & Resolved<typeof middyOptions>;

export interface Access {
  /** A session for one invocation. @throws MemphisError `INVALID_OPTION`, `UNSUPPORTED` */
  lease(request: MiddyRequest): Promise<Lease>;
  /** Starts to dial, where that is wanted. */
  warm(): Promise<void>;
}

/**
 * @param where what is being called, for error texts
 * @throws MemphisError `INVALID_OPTION` for options that exclude each other
 */
export function makeAccess(where: string, settings: AccessSettings): Access {
  const { internalKey, disablePrefetch, cacheKey, cacheExpiry, cacheKeyExpiry } = settings;
  const keeping: Keeping = {
    cacheKey,
    cacheExpiry: (cacheKey === undefined ? undefined : cacheKeyExpiry?.[cacheKey]) ?? cacheExpiry,
  };
  const given = pickOptions(connectOptions, settings);
  if (internalKey === undefined) {
    return {
      lease: async () => leaseOf(where, given, keeping),
      warm: async () => {
        if (!disablePrefetch && process.env.MEMPHIS_DRIVER !== 'none') warmSession(given, keeping);
      },
    };
  }
  const refuse = (why: string): never => {
    throw new MemphisError('INVALID_OPTION', `${where}: ${why}.`, { option: 'internalKey' });
  };
  if (!disablePrefetch) refuse('with internalKey there is nothing to connect with before the first invocation');
  for (const option of ['password', 'connectionToken', 'creds', 'nkey'] as const) {
    if (given[option] !== undefined) refuse(`give either internalKey or ${option}, not both`);
  }
  let latest = '';
  const secret = given.username === undefined ? 'connectionToken' : 'password';
  const withSecret = { ...given, [secret]: () => latest }; // asked at each dial; one function, so one connection
  return {
    lease: async (request) => {
      const value = await readInternal(request, internalKey);
      if (typeof value !== 'string' || value === '') {
        refuse(
          `request.internal has no text under ${internalKey}; use the middleware that puts it there before this one`,
        );
      } else latest = value;
      return leaseOf(where, withSecret, keeping);
    },
    warm: async () => {},
  };
}

/** In these words: a bundler that is told so leaves out all that connects (docs/cold-start.md). */
async function leaseOf(where: string, given: Resolved<typeof connectOptions>, keeping: Keeping): Promise<Lease> {
  if (process.env.MEMPHIS_DRIVER === 'none') throw withoutDriver(where);
  else return await leaseSession(given, keeping);
}

/** Middy's fetching middlewares leave promises; steps behind dots lead into what they resolve to, as in `getInternal`. */
async function readInternal({ internal }: MiddyRequest, path: string): Promise<unknown> {
  const [first = '', ...steps] = path.split('.');
  let value: unknown = await internal[first];
  for (const step of steps) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  }
  return value;
}

/** Starts to dial while the module loads. What goes wrong is met again by the first invocation. */
export function warmEarly(
  options: { readonly disablePrefetch?: boolean | undefined } | undefined,
  access: () => Access,
): void {
  if (options?.disablePrefetch !== false && process.env.MEMPHIS_DISABLE_PREFETCH === undefined) return;
  const warm = async (): Promise<void> => access().warm();
  warm().catch(() => {});
}
