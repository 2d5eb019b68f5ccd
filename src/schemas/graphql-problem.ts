/** What breaks a schema of GraphQL, and where. */

export class Problem extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** @throws Problem */
export function fail(message: string, { at }: { readonly at: number }): never {
  throw new Problem(message, at);
}

/** Notes what breaks the schema, where what comes behind it may be no document at all. @returns nothing: of what it stands for nothing is known */
export function note(reading: { problem: Problem | undefined }, message: string, at: number): undefined {
  reading.problem ??= new Problem(message, at);
}
