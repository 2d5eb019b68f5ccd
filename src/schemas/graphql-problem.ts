/** What breaks a schema of GraphQL, and where. */

export class Problem extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** @throws Problem for a second one of a name */
export function distinct(all: readonly { readonly name: string; readonly at: number }[], what: string): void {
  const seen = new Set<string>();
  for (const { name, at } of all) {
    if (seen.has(name)) throw new Problem(`There can be only one ${what} of a name.`, at);
    seen.add(name);
  }
}
