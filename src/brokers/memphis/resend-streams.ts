/** Names of the streams that keep resends. */

import { toInternalName } from '../../model/station.ts';

/** The stream that keeps resends for a group. */
export function resendStreamOf(station: string, group: string): string {
  return `${resendStreamsOf(station)}${toInternalName(group)}`;
}
/** How the names of those of a station begin. */
export function resendStreamsOf(station: string): string {
  return `${toInternalName(station)}$resent$`;
}
