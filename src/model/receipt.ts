/** What a producer learns of a message: where it is stored, or where it was sent. Plain data. */

/** What the broker answered to a stored message. */
export interface Receipt {
  readonly station: string;
  readonly partition: number;
  readonly sequence: number;
  /** The broker knew the message id already and kept its first copy; `sequence` is that copy's. */
  readonly duplicate: boolean;
}

/** A message that was written and not waited for: the broker has not said yet whether it is stored. */
export interface Written {
  readonly station: string;
  readonly partition: number;
}

/** A message that was produced without waiting and could not be stored, as it was handed in. */
export interface FailedMessage {
  readonly station: string;
  /** Absent where it failed before one was chosen. */
  readonly partition?: number;
  readonly message: unknown;
  readonly msgId?: string;
  readonly partitionKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
