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

/** @throws Problem for a second one of a name */
export function distinct(all: readonly { readonly name: string; readonly at: number }[], what: string): void {
  const seen = new Set<string>();
  for (const one of all) {
    if (seen.has(one.name)) fail(`There can be only one ${what} of a name.`, one);
    seen.add(one.name);
  }
}
