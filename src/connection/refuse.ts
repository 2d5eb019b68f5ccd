/** Options that cannot be used. */

import { MemphisError } from '../model/errors.ts';

/** @throws MemphisError `INVALID_OPTION`, always */
export function refuse(option: string, words: string): never {
  throw new MemphisError('INVALID_OPTION', `${words}.`, { option });
}
