/** Headers of a copy: those that a server would act on are kept under names of our own. */

import type { HeaderList } from '../../connection/port.ts';

/** Under this prefix a copy keeps headers that a server would act on. */
export const KEPT_PREFIX = '$memphis_kept_';

/** Put back as they came, `Nats-` headers would be acted on or refused (jetstream-servers). */
export function keepHeaders(headers: HeaderList): HeaderList {
  return headers.map(([name, value]) => [/^nats-/i.test(name) ? `${KEPT_PREFIX}${name}` : name, value] as const);
}
