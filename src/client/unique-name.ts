/** Names that nobody else has. */

/** The name with a suffix that makes it unlike any other; within the 128 characters that a name may have. */
export function uniqueName(name: string): string {
  const random = (): string => Math.random().toString(36).slice(2, 8).padEnd(6, '0');
  return `${name.slice(0, 115)}_${random()}${random()}`;
}
