/** A dead letter with the row of the broker that it is, or is part of. */

import type { HeaderList } from '../../connection/port.ts';
import type { DeadLetterRecord } from '../../model/dead-letter.ts';
import type { Row } from './dead-letter-rows.ts';

export interface Letter {
  readonly row: Row;
  readonly record: DeadLetterRecord;
  /** Those that the message had. */
  readonly headers: HeaderList;
  /** Where it is in our own stream of dead letters, on releases that need one (kept-letters.ts). */
  readonly kept?: number;
}
