/** What every driver promises, as cases for any test runner. */

import { pulling } from './contract/pulling.ts';
import { settling } from './contract/settling.ts';
import { storing } from './contract/storing.ts';
import type { ContractCase } from './contract/subject.ts';

export type { ContractCase, ContractDeadLetter, ContractSubject } from './contract/subject.ts';

/**
 * The promises of the driver ports, one case each, for drivers of your own. Each case wants a subject of its own; cases
 * may share a broker and run at the same time.
 *
 * @example
 * ```ts
 * for (const { name, run } of brokerContract) test(name, async () => run(await openSubject()));
 * ```
 */
export const brokerContract: readonly ContractCase[] = [...storing, ...pulling, ...settling];
