/** Where commands write: data for other programs, and talk for people. */

export interface Output {
  /** To stdout. */
  data(text: string): void;
  /** To stderr. */
  talk(text: string): void;
}

/** The command was called wrongly; its text says how. */
export class UsageError extends Error {}
