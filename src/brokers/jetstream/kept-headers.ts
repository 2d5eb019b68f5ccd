/** Headers of a copy: those that a broker would act on are kept under names of our own. */

import type { HeaderList } from '../../connection/port.ts';
import { OWN_ID_PREFIX } from './headers.ts';

/** Under this prefix a copy keeps headers that a broker would act on. */
export const KEPT_PREFIX = '$memphis_kept_';

/** What a NATS server acts on, and what a Memphis broker tells repeats by. */
function isActedOn(name: string): boolean {
  return /^nats-|^msg-id$/i.test(name);
}

/** Put back as they came, they would be acted on or refused (jetstream-servers). */
export function keepHeaders(headers: HeaderList): HeaderList {
  return headers.map(([name, value]) => [isActedOn(name) ? `${KEPT_PREFIX}${name}` : name, value] as const);
}

/**
 * A copy that is stored once under its id, whichever broker it is. Those of the server come first: 2.9 looks for the name's
 * letters only once, and would stop at the kept one.
 */
export function underId(id: string, headers: HeaderList): HeaderList {
  return [['Nats-Msg-Id', id], ['msg-id', `${OWN_ID_PREFIX}${id}`], ...headers];
}
