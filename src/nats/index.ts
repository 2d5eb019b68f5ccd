/**
 * "./nats": a connection of the official NATS client in the place of our own session.
 *
 * @module
 */

export type { GivenConnection } from '../model/options/connect.ts';
export { fromNats } from './from-nats.ts';
export type {
  OfficialConnection,
  OfficialHeaders,
  OfficialMessage,
  OfficialSubscription,
} from './official-types.ts';
