/** A function of the soak, and the bad luck that it has: frozen, cut off, and weighed now and then. */

import path from 'node:path';
import { type InvokeResult, type RunningFunction, startFunction } from '../../src/testing/index.ts';
import { drawFreeze, FreezeCounts, invokeFrozen } from '../../test/support/freezes.ts';
import { startProxy, type TestProxy } from '../../test/support/proxy.ts';
import type { Random } from '../../test/support/random.ts';
import type { Weight } from './functions/weigh.ts';

const FREEZE_SHARE = 0.12;
const WEIGH_EVERY = 10;
/** Longer than any trouble that the soak makes, so that the environment lives to its end. */
const TIMEOUT_MS = 60_000;

export interface ActorOptions {
  readonly name: string;
  readonly handler: 'consumer.handler' | 'producer.handler';
  /** Of the broker on 127.0.0.1. */
  readonly port: number;
  /** How the broker is named when it is reached at this host and port. */
  readonly urlAt: (host: string) => string;
  readonly env: Readonly<Record<string, string>>;
  readonly random: Random;
  readonly points: readonly string[];
  /** What it sends whose answers get lost when it is cut off so. */
  readonly deafAfter: string;
}

export class Actor {
  readonly name: string;
  readonly weights: Weight[] = [];
  readonly freezes = new FreezeCounts();
  invocations = 0;
  failures = 0;
  /** Environments that had to be started; more than one is a crash. */
  starts = 0;
  faults = 0;
  /** What went wrong last. */
  lastError: string | undefined;
  readonly #owned: RunningFunction;
  readonly #proxy: TestProxy;
  readonly #options: ActorOptions;

  private constructor(options: ActorOptions, owned: RunningFunction, proxy: TestProxy) {
    this.name = options.name;
    this.#options = options;
    this.#owned = owned;
    this.#proxy = proxy;
  }

  static async start(options: ActorOptions): Promise<Actor> {
    const proxy = await startProxy(options.port);
    const owned = await startFunction({
      handler: options.handler,
      taskRoot: path.join(import.meta.dirname, 'functions'),
      timeoutMs: TIMEOUT_MS,
      execArgv: ['--expose-gc'],
      env: { MEMPHIS_SERVERS: options.urlAt(new URL(proxy.url).host), MEMPHIS_TLS: 'false', ...options.env },
    });
    return new Actor(options, owned, proxy);
  }

  /** One invocation; with `isCalm` nothing happens to it. */
  async invoke(event: object, isCalm: boolean): Promise<InvokeResult> {
    const { random, points, deafAfter } = this.#options;
    const weigh = this.invocations % WEIGH_EVERY === 0;
    const isFrozen = !isCalm && random.between(0, 1) < FREEZE_SHARE;
    const result = isFrozen
      ? await invokeFrozen(
          this.#owned,
          this.#proxy,
          { ...event, weigh },
          drawFreeze(random, points),
          this.freezes,
          deafAfter,
        )
      : await this.#owned.invoke({ ...event, weigh });
    this.invocations++;
    if (result.coldStart) this.starts++;
    if (result.error !== undefined) {
      this.failures++;
      this.lastError = `${result.error.errorType}: ${result.error.errorMessage}`;
    } else {
      const { weight } = result.payload as { readonly weight?: Weight };
      if (weight !== undefined) this.weights.push(weight);
    }
    return result;
  }

  /** Something happens to its connection, at whatever moment this is. */
  strike(): void {
    const faults = [() => this.#proxy.end(), () => this.#proxy.reset(), () => this.#proxy.swallow()];
    this.#options.random.pick(faults)();
    this.faults++;
  }

  async stop(): Promise<void> {
    await this.#owned.stop();
    await this.#proxy[Symbol.asyncDispose]();
  }
}
