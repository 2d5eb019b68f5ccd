/** What a wrapper adds to an invocation's context. */

/** Puts things on the invocation's own context; on an heir of it where it takes none, or is none. */
export function extendContext<C extends object>(context: unknown, additions: object): C {
  if (typeof context !== 'object' || context === null) return { ...additions } as C;
  if (Object.isExtensible(context)) return Object.assign(context, additions) as unknown as C;
  const heir: unknown = Object.create(context);
  for (const [name, value] of Object.entries(additions)) {
    Object.defineProperty(heir, name, { value, enumerable: true });
  }
  return heir as C;
}
