/** A session: link and driver of one configuration. Shared per process by functions, own to a `connect`. */

import { chooseBroker } from '../brokers/choose.ts';
import type { ConnectSettings } from '../connection/addresses.ts';
import { cached, cachedValues } from '../connection/cache.ts';
import { wasClosed } from '../connection/dialler.ts';
import type { Link } from '../connection/link.ts';
import { makeLink } from '../connection/open.ts';
import type { Broker } from '../model/broker.ts';
import { placedBroker } from '../model/placed-broker.ts';
import type { LookUp } from '../model/schema-look-up.ts';
import { registry } from '../schemas/registry.ts';
import { checkNode } from './check-node.ts';

interface BrokerOptions {
  readonly deadlineMs?: number;
  readonly isAccepted?: boolean;
}

export interface Session {
  /**
   * The driver, connected.
   *
   * @param options.deadlineMs wall-clock time until which dialling may take; default: the dial's own limit
   * @param options.isAccepted wait until the broker has accepted the credentials; default: the first request finds out
   * @throws MemphisError `CONNECT_FAILED`, `AUTHENTICATION_FAILED`, `TLS_FAILED`, `UNSUPPORTED`, `CLOSED`
   */
  broker(options?: BrokerOptions): Promise<Broker>;
  /** The driver where it is there by now; its connection may have ended. No I/O. */
  readonly current: Broker | undefined;
  /** Whether a connection is up, as far as this side knows. */
  isConnected(): boolean;
  /** Starts to dial. Never throws, never rejects. */
  warm(): void;
  close(): Promise<void>;
}

class LinkSession implements Session {
  readonly #settings: ConnectSettings;
  /** Absent while a broker of a test stands in the place of all others. */
  #link: Link | undefined;
  readonly #onClose: () => void;
  readonly #lookUp: () => LookUp | undefined;
  #broker: Broker | undefined;
  #isClosed = false;

  constructor(settings: ConnectSettings, onClose: () => void, lookUp: () => LookUp | undefined) {
    checkNode();
    this.#settings = settings;
    this.#link = placedBroker() === undefined ? makeLink(settings) : undefined;
    this.#onClose = onClose;
    this.#lookUp = lookUp;
  }

  get current(): Broker | undefined {
    return this.#isClosed ? undefined : (placedBroker() ?? this.#broker);
  }

  async broker({ deadlineMs: givenMs, isAccepted = false }: BrokerOptions = {}): Promise<Broker> {
    if (this.#isClosed) throw wasClosed();
    const placed = placedBroker();
    if (placed !== undefined) return placed;
    if (this.#broker !== undefined && (!isAccepted || this.#link?.wasOpen)) return this.#broker;
    const deadlineMs = givenMs ?? Date.now() + this.#settings.timeoutMs;
    this.#link ??= makeLink(this.#settings);
    // the link shares the dial, but each caller has a time of its own, and a failure from before a freeze is not its own
    const choice = { ...this.#settings, lookUp: this.#lookUp };
    const broker = await chooseBroker(this.#link, choice, deadlineMs, isAccepted);
    this.#broker ??= broker;
    return this.#broker;
  }

  isConnected(): boolean {
    return !this.#isClosed && (placedBroker() !== undefined || this.#link?.isConnected() === true);
  }

  warm(): void {
    // behind the module that is being loaded; the first use meets the same error, where somebody awaits it
    Promise.resolve()
      .then(() => this.broker())
      .catch(() => {});
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#onClose();
    await this.#broker?.close?.();
    await this.#link?.close();
  }
}

/** A session of one's own. No I/O. @param lookUp what finds out about schemas; left out: what a codec has brought @throws MemphisError `INVALID_OPTION`, `UNSUPPORTED` */
export function makeSession(settings: ConnectSettings, lookUp?: LookUp): Session {
  return new LinkSession(
    settings,
    () => {},
    () => lookUp ?? registry.lookUp,
  );
}

/** Whether this process closes its sessions at SIGTERM already. */
let isListening = false;

/** The session that all functions of this process share for a configuration. No I/O. @throws MemphisError `INVALID_OPTION`, `UNSUPPORTED` */
export function sharedSession(settings: ConnectSettings): Session {
  return keyedSession(settings, undefined);
}

/** As `sharedSession`, for those who share a key as well. */
export function keyedSession(settings: ConnectSettings, cacheKey: string | undefined): Session {
  // its first use takes a while: it goes on while the server is waited for
  if (!isListening) setImmediate(closeOnSigterm);
  isListening = true;
  const key = cacheKey === undefined ? settings : { ...settings, cacheKey };
  return cached(key, (forget) => new LinkSession(settings, forget, () => registry.lookUp));
}

/** Lambda sends SIGTERM before it ends an environment (where an extension is registered); best effort. */
function closeOnSigterm(): void {
  process.once('SIGTERM', () => {
    const closing = cachedValues().map((value) => (value as Session).close().catch(() => {}));
    // a listener takes the default action away: end as the signal would have
    void Promise.all(closing).then(() => process.kill(process.pid, 'SIGTERM'));
  });
}
