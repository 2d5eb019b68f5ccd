/** The servers a link may dial, and in which order: those configured, and those that a cluster has named. */

import { type ServerAddress, toPeer } from './addresses.ts';

/** So long a server that could not be used stays behind the others. */
const MEMORY_MS = 30_000;

export class ServerList {
  readonly #configured: readonly ServerAddress[];
  #learned: readonly ServerAddress[] = [];
  readonly #failedAt = new Map<string, number>();

  constructor(configured: readonly ServerAddress[]) {
    this.#configured = configured.length === 1 ? configured : unique(configured);
  }

  /** Takes over what a cluster says of itself; a server that names nobody changes nothing. */
  learn(peers: readonly string[], toldBy: ServerAddress): void {
    if (peers.length === 0) return;
    this.#learned = unique(peers.map((peer) => toPeer(peer, toldBy))).filter((peer) => !this.isConfigured(peer));
  }

  /** It could not be dialled, or answers no more. */
  failed({ server }: ServerAddress): void {
    this.#failedAt.set(server, Date.now());
  }

  worked({ server }: ServerAddress): void {
    this.#failedAt.delete(server);
  }

  /** Whether options named it. */
  isConfigured({ server }: ServerAddress): boolean {
    return this.#configured.some((address) => address.server === server);
  }

  /**
   * All servers, best first: configured ones before learned ones, for these may be reachable from inside the cluster's
   * network only; those that failed lately last; among equals by chance, so that many functions that thaw together spread.
   *
   * @param without a server that is about to go
   */
  inTurn(without?: ServerAddress): readonly ServerAddress[] {
    const all = this.#learned.length === 0 ? this.#configured : [...this.#configured, ...this.#learned];
    return all.length === 1 && without === undefined ? all : this.#sort(all, without);
  }

  #sort(addresses: readonly ServerAddress[], without: ServerAddress | undefined): readonly ServerAddress[] {
    const since = Date.now() - MEMORY_MS;
    const rankOf = (address: ServerAddress): number =>
      ((this.#failedAt.get(address.server) ?? 0) > since ? 2 : 0) +
      (this.isConfigured(address) ? 0 : 1) +
      Math.random();
    return addresses
      .filter(({ server }) => server !== without?.server)
      .map((address) => ({ address, rank: rankOf(address) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ address }) => address);
  }
}

function unique(addresses: readonly ServerAddress[]): ServerAddress[] {
  return [...new Map(addresses.map((address) => [address.server, address])).values()];
}
