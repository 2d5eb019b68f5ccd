/** What depends on the `version` of INFO because nothing else tells it. Pure. */

/** Whether a version is older than `major.minor.patch`. */
export function isBefore(version: string, major: number, minor: number, patch = 0): boolean {
  const [ofMajor = 0, ofMinor = 0, ofPatch = 0] = version.split(/[.-]/).map(Number);
  if (ofMajor !== major) return ofMajor < major;
  if (ofMinor !== minor) return ofMinor < minor;
  return ofPatch < patch;
}
