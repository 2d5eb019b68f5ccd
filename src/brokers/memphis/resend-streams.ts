/** Names of the streams that keep resends. */

import { toInternalName } from '../../model/station.ts';

/** The stream that keeps resends for a group. */
export const resendStreamOf = (station: string, group: string): string =>
  `${resendStreamsOf(station)}${toInternalName(group)}`;
/** How the names of those of a station begin. */
export const resendStreamsOf = (station: string): string => `${toInternalName(station)}$resent$`;
