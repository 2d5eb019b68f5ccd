/** What the code of precompiled JSON Schemas calls. */

export { allUnique } from './unique.ts';

/** Characters, not units of UTF-16. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** Whether two JSON values are equal, whatever the order of their fields. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, index) => isEqual(one, b[index]))
    );
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key], right[key]))
  );
}

let stepsLeft = 0;

/** How often parts of a schema may be entered from now on. */
export function allowSteps(steps: number): void {
  stepsLeft = steps;
}

/**
 * Called where a reference is followed. Alternatives that hold themselves are tried anew at each level, so a message of a few lines
 * can have millions of ways through its schema.
 *
 * @throws RangeError as a stack does that has no room
 */
export function step(): void {
  stepsLeft -= 1;
  if (stepsLeft < 0) throw new RangeError('too many steps');
}
