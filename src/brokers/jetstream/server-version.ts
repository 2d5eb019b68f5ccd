/** What depends on the `version` of INFO because nothing else tells it. Pure. */

/** Whether a version is older than `major.minor.patch`. */
export function isBefore(version: string, major: number, minor: number, patch = 0): boolean {
  // without an expression: a first job on a Memphis broker compiles none
  const [ofMajor = 0, ofMinor = 0, ofPatch = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  if (ofMajor !== major) return ofMajor < major;
  if (ofMinor !== minor) return ofMinor < minor;
  return ofPatch < patch;
}
