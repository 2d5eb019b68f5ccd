/** `memphisProducer`: a handler under Middy that produces, as under `withProducer`. */

import { DataClient } from '../client/data.ts';
import type { Session } from '../client/session.ts';
import { extendContext } from '../lambda/extend-context.ts';
import { type DataSide, Outlet } from '../lambda/outlet.ts';
import { beginProducing } from '../lambda/producing.ts';
import type { Given, Resolved } from '../model/option-spec.ts';
import { connectOptions } from '../model/options/connect.ts';
import { middyOptions } from '../model/options/middy.ts';
import { type GivenForProducing, producerFunctionOptions } from '../model/options/producer-function.ts';
import { checkOptions, resolveOptions } from '../model/resolve-options.ts';
import { checkName } from '../model/station.ts';
import { type Access, makeAccess, warmEarly } from './access.ts';
import { addFlush, endHooks } from './ending.ts';
import type { MemphisMiddleware } from './request.ts';

const { prefetch: _prefetch, ...producerOptions } = producerFunctionOptions; // it has another name here
const optionTable = { ...connectOptions, ...producerOptions, ...middyOptions };

/** Options of {@link memphisProducer}; each but `onError` and `cacheKeyExpiry` may come from its environment variable. */
export interface MemphisProducerOptions
  extends Given<typeof connectOptions>,
    Omit<GivenForProducing, 'prefetch'>,
    Given<typeof middyOptions> {}

/**
 * Makes a Middy middleware (`@middy/core` 6 and 7) that stands for `withProducer`: it puts `produce` and `memphis` on the
 * context, with `contextKey` under that name. Before the invocation ends, whichever way it does, everything produced is
 * confirmed or has failed; a failure that nobody awaited, or that no `onError` took, fails the invocation.
 *
 * @param options checked here; the environment is read at the first invocation
 * @throws MemphisError `INVALID_OPTION`, `INVALID_NAME`
 * @example
 * ```ts
 * export const handler = middy(async (event: { key: string }, context: Context & ProducerContext) => {
 *   await context.produce({ key: event.key });
 * }).use(memphisProducer({ station: 'uploads' }));
 * ```
 */
export function memphisProducer(options?: MemphisProducerOptions): MemphisMiddleware {
  const where = 'memphisProducer';
  checkOptions(where, optionTable, options);
  if (options?.station !== undefined) checkName('station', options.station);
  let known: { readonly settings: Resolved<typeof optionTable>; readonly access: Access } | undefined;
  const resolve = (): { readonly settings: Resolved<typeof optionTable>; readonly access: Access } => {
    if (known === undefined) {
      const settings = resolveOptions(where, optionTable, options, process.env);
      known = { settings, access: makeAccess(where, settings) };
    }
    return known;
  };
  warmEarly(options, () => resolve().access);
  const outlets = new WeakMap<Session, Outlet<DataSide>>();
  const outletOf = (session: Session): Outlet<DataSide> => {
    const outlet = outlets.get(session) ?? new Outlet(() => openDataSide(session));
    outlets.set(session, outlet);
    return outlet;
  };
  const { watch, ...hooks } = endHooks();

  return {
    before: async (request) => {
      const { settings, access } = resolve();
      const lease = await access.lease(request);
      const outlet = outletOf(lease.session);
      const { tools, flush, end } = await beginProducing({ where, outlet, settings, context: request.context });
      const { contextKey } = settings;
      request.context = extendContext(
        request.context,
        contextKey === undefined ? { ...tools } : { [contextKey]: tools },
      );
      addFlush(request, flush);
      watch(request, async ({ value, thrown, isFailing }) => {
        try {
          await end(isFailing ? thrown : undefined);
        } finally {
          await lease.end();
        }
        if (isFailing) throw thrown?.error;
        return value;
      });
    },
    ...hooks,
  };
}

async function openDataSide(session: Session) {
  return new DataClient(session);
}
