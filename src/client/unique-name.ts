/** A name unlike any other: what `genUniqueSuffix` makes of one. */

/** The name with `_` and eight random hexadecimal digits, as the Memphis SDKs add them; cut where it would be too long. */
export function uniqueName(name: string): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return `${name.slice(0, 119)}_${random.toString(16).padStart(8, '0')}`;
}
