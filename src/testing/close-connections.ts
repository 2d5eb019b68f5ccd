/** Closes what functions keep open from one invocation to the next; Lambda freezes it, a test has to end. */

import { cachedValues } from '../connection/cache.ts';

/**
 * Closes the connections that `withMemphis`, `withProducer`, `produceHandler` and the Middy middlewares of this process
 * keep. Without that, a test process on a broker that goes on running does not end. The next invocation connects anew.
 *
 * @example
 * ```ts
 * after(closeConnections);
 * ```
 */
export async function closeConnections(): Promise<void> {
  await Promise.all((cachedValues() as { close(): Promise<void> }[]).map((session) => session.close()));
}
