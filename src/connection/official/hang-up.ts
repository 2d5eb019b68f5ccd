/**
 * Sockets that a dial opens, so that they can be closed. The official client gives up a server that says nothing, but
 * leaves the socket open: it would stay for as long as the server likes, and keep the process alive.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

interface Closable {
  destroy(): unknown;
}

/** Node tells of each new client socket here; the dial that opened it is told by the asynchronous context. */
const channel = 'net.client.socket';
const dials = new AsyncLocalStorage<Set<Closable>>();
let running = 0;

const onSocket = (message: unknown): void => {
  const { socket } = message as { readonly socket?: Closable };
  if (socket !== undefined) dials.getStore()?.add(socket);
};

/** A piece of work, and how to close the sockets that it opened so far. */
export interface Watched<T> {
  readonly result: Promise<T>;
  hangUp(): void;
}

/** Starts a dial, and knows the sockets that it opens. TLS from the first byte takes a signal in place of this. */
export function watchSockets<T>(dial: () => Promise<T>): Watched<T> {
  const sockets = new Set<Closable>();
  if (running++ === 0) subscribe(channel, onSocket);
  const result = dials.run(sockets, dial).finally(() => {
    if (--running > 0) return;
    unsubscribe(channel, onSocket);
    dials.disable(); // on Node 22 a store in use costs every promise of the process
  });
  return {
    result,
    hangUp: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
