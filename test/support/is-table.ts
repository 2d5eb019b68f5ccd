/** Whether something is a table of options. */

import { type OptionTable, text } from '../../src/model/option-spec.ts';

/** An object all of whose values say what an option takes. */
export function isTable(value: unknown): value is OptionTable {
  if (typeof value !== 'object' || value === null) return false;
  const specs: unknown[] = Object.values(value);
  return specs.length > 0 && specs.every(isSpec);
}

function isSpec(spec: unknown): boolean {
  if (typeof spec !== 'object' || spec === null) return false;
  return spec === text || ['read', 'max', 'fallback'].some((name) => name in spec);
}
