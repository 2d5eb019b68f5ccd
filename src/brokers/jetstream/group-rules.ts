/** What a group's durable says of itself, and whether one that exists can be what was asked for. Pure. */

import type { ReaderOptions } from '../../model/broker.ts';
import type { StartPosition } from '../../model/source.ts';
import type { Durable } from './wire/consumers.ts';

/** Description of every durable that this toolkit makes; what follows it says where it began. */
export const OURS = 'memphis-serverless';

export function isOurs({ description }: Durable): boolean {
  return description === OURS || description.startsWith(`${OURS} `);
}

/** The description of a durable that begins there: what it began with cannot be asked of it later. */
export function describe(start: StartPosition | undefined): string {
  if (start === undefined) return OURS;
  return 'sequence' in start ? `${OURS} from sequence ${start.sequence}` : `${OURS} last ${start.lastMessages}`;
}

/** Why it cannot be what was asked for, where it began elsewhere. */
export const BEGAN_ELSEWHERE = 'began somewhere else, and where a group begins cannot be changed';

/** What readers may ask for beyond a name. */
type Wanted = Pick<ReaderOptions, 'binding' | 'start' | 'ordered'>;

/** Why an existing durable cannot be what was asked for, as the rest of a sentence; nothing where it can. */
export function conflictOf(found: Durable, wanted: Wanted): string | undefined {
  const { deliver_subject: pushTo, ack_policy: ackPolicy = 'explicit' } = found.config;
  // most ask for nothing of their own
  const isPlain = wanted.binding === undefined && wanted.start === undefined && wanted.ordered !== true;
  return isPlain && pushTo === undefined && ackPolicy === 'explicit' ? undefined : whyNot(found, wanted);
}

function whyNot(found: Durable, { binding, start, ordered }: Wanted): string | undefined {
  const { deliver_subject: pushTo, ack_policy: ackPolicy = 'explicit' } = found.config;
  if (pushTo !== undefined) return 'is a push consumer; only pull consumers can be read by functions';
  if (ackPolicy !== 'explicit') return `settles by ack policy ${ackPolicy}; only explicit acks settle single messages`;
  const wanted = binding?.filterSubject;
  if (wanted !== undefined) {
    const filters = filtersOf(found);
    if (filters.length !== 1 || filters[0] !== wanted) {
      return `has another filter (${filters.join(', ') || 'none'}) than the ${wanted} asked for`;
    }
  }
  if (ordered && !isOurs(found) && found.maxAckPending !== 1) {
    return 'is not of our making and lets several messages out at a time, so it cannot be ordered';
  }
  return start === undefined || beganAt(found, start) ? undefined : BEGAN_ELSEWHERE;
}

/** What an existing durable's start says; of durables of others only a sequence can be compared. */
function beganAt(found: Durable, start: StartPosition): boolean {
  if (isOurs(found)) return found.description === describe(start);
  const { deliver_policy: policy, opt_start_seq: sequence } = found.config;
  if ('sequence' in start) return policy === 'by_start_sequence' && sequence === start.sequence;
  return start.lastMessages === 0 && policy === 'new';
}

function filtersOf({ config }: Durable): readonly string[] {
  const { filter_subjects: several, filter_subject: one } = config;
  if (Array.isArray(several) && several.length > 0) return several.map(String);
  return typeof one === 'string' && one !== '' ? [one] : [];
}
