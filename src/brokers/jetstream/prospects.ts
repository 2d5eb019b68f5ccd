/**
 * Which lanes to ask first, where fewer messages are wanted than there are lanes. A request to a durable with limits stays
 * open for a while when nothing is there (`wire/pull.ts`), and lanes that are asked in turn would add these up.
 */

import type { Connection } from '../../connection/port.ts';
import { isLimited, type Lane } from './lane.ts';
import { backlogOf, durableInfo } from './wire/consumers.ts';

const LOOK_LIMIT_MS = 1_000;

/** `ready`: has something; `unclear`: what is out may come back now; `idle`: has nothing, as far as it knows. */
type Prospect = 'ready' | 'unclear' | 'idle';

async function prospectOf(connection: Connection, lane: Lane, limitMs: number): Promise<Prospect> {
  if (!isLimited(lane)) return 'ready'; // asking it costs no more than looking
  try {
    const { pending, ackPending } = backlogOf(
      await durableInfo(connection, lane.stream, lane.durable, Math.min(LOOK_LIMIT_MS, limitMs)),
    );
    if (pending > 0 && (lane.maxAckPending <= 0 || ackPending < lane.maxAckPending)) return 'ready';
    return ackPending > 0 ? 'unclear' : 'idle';
  } catch {
    return 'unclear'; // asked, it tells what is wrong
  }
}

/**
 * Lanes in the order in which asking them is worth it. Of the idle ones there is one in turn: their word is not the last.
 *
 * @param turn moves on from call to call
 */
export async function byProspect(
  connection: Connection,
  lanes: readonly Lane[],
  turn: number,
  limitMs: number,
): Promise<readonly Lane[]> {
  const first = turn % lanes.length;
  const inTurn = [...lanes.slice(first), ...lanes.slice(0, first)];
  const prospects = await Promise.all(inTurn.map((lane) => prospectOf(connection, lane, limitMs)));
  const those = (prospect: Prospect): Lane[] => inTurn.filter((_, index) => prospects[index] === prospect);
  return [...those('ready'), ...those('unclear'), ...those('idle').slice(0, 1)];
}
