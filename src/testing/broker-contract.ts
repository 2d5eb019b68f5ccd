/** What every driver promises, as cases for any test runner. */

import { administering } from './contract/administering.ts';
import { grouping } from './contract/grouping.ts';
import { keepingSchemas } from './contract/keeping-schemas.ts';
import { pulling } from './contract/pulling.ts';
import { settingAside } from './contract/setting-aside.ts';
import { settling } from './contract/settling.ts';
import { storing } from './contract/storing.ts';
import type { ContractCase } from './contract/subject.ts';

export type { ContractCase, ContractSubject } from './contract/subject.ts';

/**
 * The promises of the driver ports, one case each, for drivers of your own. Each case wants a subject of its own; cases
 * may share a broker and run at the same time.
 *
 * @example
 * ```ts
 * for (const { name, run } of brokerContract) test(name, async () => run(await openSubject()));
 * ```
 */
export const brokerContract: readonly ContractCase[] = [
  ...storing,
  ...pulling,
  ...grouping,
  ...settling,
  ...settingAside,
  ...administering,
  ...keepingSchemas,
];
