/** Invocations that produce: what they are given, and that all of it is over, and seen, when they end. */

import { MemphisError } from '../model/errors.ts';
import type { Given, Resolved } from '../model/option-spec.ts';
import { connectOptions } from '../model/options/connect.ts';
import { type GivenForProducing, producerFunctionOptions } from '../model/options/producer-function.ts';
import { checkOptions, pickOptions, resolveOptions } from '../model/resolve-options.ts';
import { checkName } from '../model/station.ts';
import { logError } from './log-error.ts';
import { type LoadDataSide, Outlet } from './outlet.ts';
import { type Invocation, makeTools, type ProducerContext } from './producer-tools.ts';
import { UnderWay } from './under-way.ts';

const optionTable = { ...connectOptions, ...producerFunctionOptions };

/** Options of what produces in a function; each but `onError` may come from its environment variable instead. */
export interface ProducingOptions extends Given<typeof connectOptions>, GivenForProducing {}

/** One invocation that produces. */
export interface ProducingInvocation {
  readonly tools: ProducerContext;
  /** Waits for what is under way; more may be produced. @throws the first failure that nobody looked at */
  flush(): Promise<void>;
  /**
   * Waits until everything produced is confirmed or has failed.
   *
   * @param thrown what the invocation ends with anyway: failures that nobody looked at are logged beside it
   * @throws the first failure that nobody looked at, else; the others are logged
   */
  end(thrown?: { readonly error: unknown }): Promise<void>;
}

/**
 * What a function produces with, made once.
 *
 * @param where what is being called, for error texts
 * @returns begins an invocation; the environment is read at the first
 * @throws MemphisError `INVALID_OPTION`, `INVALID_NAME`
 */
export function prepareProducing(
  where: string,
  options: ProducingOptions | undefined,
  load: LoadDataSide,
): (context: unknown) => Promise<ProducingInvocation> {
  checkOptions(where, optionTable, options);
  if (options?.station !== undefined) checkName('station', options.station);
  let known: Resolved<typeof optionTable> | undefined;
  const resolve = (): Resolved<typeof optionTable> => {
    known ??= resolveOptions(where, optionTable, options, process.env);
    return known;
  };
  const outlet = new Outlet(async () => load(pickOptions(connectOptions, resolve())));
  warmEarly(outlet, options, () => resolve().prefetch);
  return async (context) => beginProducing({ where, outlet, settings: resolve(), context });
}

/** Begins an invocation. @throws MemphisError `INVALID_OPTION` for what the client cannot be made of */
export async function beginProducing(
  invocation: Pick<Invocation, 'where' | 'outlet' | 'settings' | 'context'>,
): Promise<ProducingInvocation> {
  const { outlet } = invocation;
  const onLate = (error: unknown): void => logError('Produced after the invocation', error);
  const underWay = new UnderWay(tooLate, onLate, (error) => outlet.note(error));
  const tools = makeTools({ ...invocation, side: await outlet.side(), underWay });
  return {
    tools,
    flush: async () => throwFirst(await underWay.settled()),
    end: async (thrown) => {
      const unseen = await underWay.end();
      if (thrown === undefined) throwFirst(unseen);
      else logAll(unseen.filter((error) => error !== thrown.error));
    },
  };
}

function throwFirst(failures: readonly unknown[]): void {
  if (failures.length === 0) return;
  logAll(failures.slice(1));
  throw failures[0];
}

function logAll(failures: readonly unknown[]): void {
  for (const error of failures) logError('A produce failed', error);
}

/** Starts to dial while the module loads. What goes wrong is met again by the first invocation. */
export function warmEarly(
  outlet: Outlet,
  options: { readonly prefetch?: boolean | undefined } | undefined,
  isWanted: () => boolean,
): void {
  if (options?.prefetch !== true && process.env.MEMPHIS_PREFETCH === undefined) return;
  const warm = async (): Promise<void> => {
    if (isWanted()) (await outlet.side()).session.warm();
  };
  warm().catch(() => {});
}

export function tooLate(): MemphisError {
  return new MemphisError(
    'CLOSED',
    'The invocation was over when this was produced; nothing was sent. Await it in the handler, with what this invocation gave.',
  );
}
