/**
 * How the part of a chain ends that stands behind a middleware. Middy calls `after` and `onError`, but skips them once
 * some hook has answered early (docs/decisions/009-what-nobody-waits-for.md): what must not be skipped is told here.
 */

import { logError } from '../lambda/log-error.ts';
import type { MiddyRequest } from './request.ts';

/** How it ended. */
export interface Ending {
  /** The answer that the chain goes on with; of no meaning where it goes on with an error. */
  readonly value: unknown;
  /** What was thrown, also when some `onError` made an answer of it. */
  readonly thrown?: { readonly error: unknown };
  /** Whether the chain goes on with the error: there is no answer. */
  readonly isFailing: boolean;
  /** Whether the handler has returned. */
  readonly byHandler: boolean;
  /** Whether a hook answered early. */
  readonly isEarly: boolean;
}

/** Called once, however it ended. Resolves with the answer to go on with, rejects with the error to go on with. */
export type OnEnd = (ending: Ending) => Promise<unknown>;

interface Watcher {
  readonly onEnd: OnEnd;
  /** Set when it was called. */
  over?: Promise<unknown>;
  /** Whether a hook, or an early answer, has taken what came of it. */
  isTaken: boolean;
}

/** What stands in the chain of one request, from the outside in. */
interface Chain {
  readonly watchers: Watcher[];
  /** Wait for what the handler has produced, of middlewares inside and outside. */
  readonly flushes: (() => Promise<void>)[];
  handlerReturned: boolean;
  hasConsumer: boolean;
}

const chains = new WeakMap<object, Chain>();

/** Those of our hooks that Middy calls by itself. */
export interface EndHooks {
  after(request: MiddyRequest): Promise<void>;
  onError(request: MiddyRequest): Promise<void>;
}

/**
 * Makes the hooks of one middleware.
 *
 * @returns `watch`: for its `before`, once there is something that has to end
 */
export function endHooks(): EndHooks & { watch(request: MiddyRequest, onEnd: OnEnd): void } {
  const mine = new WeakMap<object, Watcher>();
  return {
    watch(request, onEnd) {
      const watcher: Watcher = { onEnd, isTaken: false };
      mine.set(request, watcher);
      chainOf(request).watchers.push(watcher);
    },
    async after(request) {
      const watcher = mine.get(request);
      if (watcher === undefined || watcher.isTaken) return;
      watcher.isTaken = true;
      const value = request.response;
      request.response = await finish(watcher, { value, isFailing: false, byHandler: true, isEarly: false });
    },
    async onError(request) {
      const watcher = mine.get(request);
      if (watcher === undefined || watcher.isTaken) return;
      watcher.isTaken = true;
      const { response: value, error } = request;
      const isFailing = value === undefined; // what an inner onError has made of the error
      try {
        const ending = { value, thrown: { error }, isFailing, byHandler: false, isEarly: false };
        request.response = await finish(watcher, ending);
      } catch (failure) {
        request.response = undefined; // Middy throws where there is no response
        if (failure !== error) request.error = failure;
      }
    },
  };
}

/** Notes that a chain has a consumer. @returns whether it has none yet */
export function claimConsumer(request: MiddyRequest): boolean {
  const chain = chainOf(request);
  const isFirst = !chain.hasConsumer;
  chain.hasConsumer = true;
  return isFirst;
}

/** Notes how to wait for what is produced in a chain. */
export function addFlush(request: MiddyRequest, flush: () => Promise<void>): void {
  chainOf(request).flushes.push(flush);
}

/** Waits for what was produced in a chain so far. @throws the first failure that nobody took */
export async function flushProduced(request: MiddyRequest): Promise<void> {
  for (const flush of chainOf(request).flushes) await flush();
}

function finish(watcher: Watcher, ending: Ending): Promise<unknown> {
  watcher.over ??= watcher.onEnd(ending);
  return watcher.over;
}

/** The chain of a request; the first time, what Middy writes down about its end is watched. */
function chainOf(request: MiddyRequest): Chain {
  const known = chains.get(request);
  if (known !== undefined) return known;
  const chain: Chain = { watchers: [], flushes: [], handlerReturned: false, hasConsumer: false };
  chains.set(request, chain);
  let { response, error } = request;

  // Middy ends with `return request.response`, which waits for a promise: so an early answer waits for us.
  Object.defineProperty(request, 'response', {
    configurable: true,
    enumerable: true,
    get: () => response,
    set: (value: unknown) => {
      response = value;
      if (!isEarly(request, value)) {
        chain.handlerReturned = true;
        return;
      }
      if (chain.watchers.every((watcher) => watcher.isTaken)) return;
      const thrown = isSet(error) ? { thrown: { error } } : {};
      const byHandler = chain.handlerReturned && !isSet(error);
      const answer = endAll(chain, { value, ...thrown, isFailing: false, byHandler, isEarly: true });
      answer.then(
        (final) => {
          response = final; // for who looks later: requestEnd
        },
        () => {},
      );
      response = answer;
    },
  });

  // An onError that throws ends the chain too. Middy throws at once then, so nothing can wait for us: settle all the same.
  Object.defineProperty(request, 'error', {
    configurable: true,
    enumerable: true,
    get: () => error,
    set: (value: unknown) => {
      const first = error;
      error = value;
      if (!isSet(first) || !isSet(value) || value === first) return;
      for (const watcher of chain.watchers) {
        if (watcher.over !== undefined) continue;
        const ending = {
          value: undefined,
          thrown: { error: first },
          isFailing: true,
          byHandler: false,
          isEarly: false,
        };
        finish(watcher, ending).catch((failure: unknown) => {
          if (failure !== first && !watcher.isTaken) logError('The end of an invocation was not waited for', failure);
        });
      }
    },
  });
  return chain;
}

function isSet(error: unknown): boolean {
  return error !== undefined && error !== null;
}

function isEarly(request: MiddyRequest, value: unknown): boolean {
  return Object.hasOwn(request, 'earlyResponse') && Object.is(request.earlyResponse, value);
}

/** From the inside out, as Middy would have called the hooks. */
async function endAll(chain: Chain, first: Ending): Promise<unknown> {
  let ending = first;
  for (const watcher of [...chain.watchers].reverse()) {
    if (watcher.isTaken) continue;
    watcher.isTaken = true;
    try {
      const value = await finish(watcher, ending);
      ending = { ...ending, value, isFailing: false };
    } catch (error) {
      ending = { ...ending, value: undefined, thrown: { error }, isFailing: true };
    }
  }
  if (ending.isFailing) throw ending.thrown?.error;
  return ending.value;
}
