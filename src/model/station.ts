/** Stations: names outside and inside the broker, and the settings of one. Rules: Memphis SDKs, broker 1.4.4. */

import { MemphisError } from './errors.ts';

export type RetentionType = 'message_age_sec' | 'messages' | 'bytes' | 'ack_based';
export type StorageType = 'file' | 'memory';

/** Settings of a station, resolved: each field has a value. Units: seconds, messages or bytes by `retentionType`. */
export interface StationSettings {
  readonly partitionsNumber: number;
  readonly retentionType: RetentionType;
  readonly retentionValue: number;
  readonly storageType: StorageType;
  readonly replicas: number;
  readonly idempotencyWindowMs: number;
  /** Off: what would be a dead letter is dropped. */
  readonly sendPoisonMsgToDls: boolean;
  /** Off: messages that fail the station's schema are dropped. */
  readonly sendSchemaFailedMsgToDls: boolean;
  /** The station that gets a copy of each dead letter; '' for none. */
  readonly dlsStation: string;
  /** The schema that is attached; '' for none. */
  readonly schemaName: string;
  readonly tieredStorageEnabled: boolean;
}

/** A station that is made because it is missing: `createStation` without options. */
export const defaultStation: StationSettings = {
  partitionsNumber: 1,
  retentionType: 'message_age_sec',
  retentionValue: 3_600,
  storageType: 'file',
  replicas: 1,
  idempotencyWindowMs: 120_000,
  schemaName: '',
  sendPoisonMsgToDls: true,
  sendSchemaFailedMsgToDls: true,
  dlsStation: '',
  tieredStorageEnabled: false,
};

/** What has a name, as error texts say it. */
type NamedThing = 'station' | 'group' | 'producer' | 'mapping' | 'schema';

const MAX_NAME_LENGTH = 128;
/** Checked before it is lowered: other alphabets have letters that become these, such as the sign of Kelvin. */
const allowedInAnyCase = /^[A-Za-z0-9_.-]*$/;

/**
 * Checks a name and brings it into the form that brokers compare: lower case.
 *
 * @param what the noun for the error text: station, group, producer
 * @throws MemphisError `INVALID_NAME`
 */
export function checkName(what: NamedThing, name: unknown): string {
  return typeof name === 'string' && isName(name) ? name : toName(what, name);
}

function toName(what: NamedThing, name: unknown): string {
  if (typeof name !== 'string') {
    throw new MemphisError('INVALID_NAME', `A ${what} name must be text, not ${name === null ? 'null' : typeof name}.`);
  }
  const lower = name.toLowerCase();
  if (allowedInAnyCase.test(name) && isName(lower)) return lower;
  throw badName(what, name, whyNot(name));
}

/** @param why the end of the sentence that begins with the name */
export function badName(what: string, name: string, why: string): MemphisError {
  return new MemphisError('INVALID_NAME', `The ${what} name ${JSON.stringify(name.slice(0, 140))} ${why}.`);
}

/** What is wrong with a name. */
function whyNot(name: string): string {
  if (name === '') return 'is empty';
  if (name.length > MAX_NAME_LENGTH) return `is longer than ${MAX_NAME_LENGTH} characters`;
  if (!allowedInAnyCase.test(name)) return "may hold letters a-z, digits, '_', '-' and '.' only";
  return 'must start and end with a letter or a digit';
}

/** Whether a name is one as `checkName` returns it. By hand: the first uses of an expression cost a cold start more. */
export function isName(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const letter = name.charAt(at);
    const isPlain = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
    const isInside = at > 0 && at < name.length - 1;
    if (!isPlain && !(isInside && '_.-'.includes(letter))) return false;
  }
  return name !== '' && name.length <= MAX_NAME_LENGTH;
}

/** The form that stream, durable and subject names use: `.` would split a subject, so it becomes `#`. */
export function toInternalName(name: string): string {
  return name.includes('.') ? name.replaceAll('.', '#') : name;
}
