/** Middy's own words, as far as we use them; the same in versions 6 and 7. Structural: nothing of Middy is loaded. */

/** What Middy hands from hook to hook during one invocation. */
export interface MiddyRequest<Event = unknown, Context = unknown> {
  event: Event;
  context: Context;
  response?: unknown;
  /** There only when a hook ended the chain before its end. */
  earlyResponse?: unknown;
  error?: unknown;
  internal: Record<PropertyKey, unknown>;
}

/** Middy joins the types of all middlewares of a chain: with this one, the others and the handler have the say. */
// biome-ignore lint/suspicious/noExplicitAny: nothing else leaves a joined type as it is and takes any event
type Anything = any;

/** A middleware with all three hooks; what `use` takes. */
export interface MemphisMiddleware<Context = Anything> {
  before(request: MiddyRequest<Anything, Context>): Promise<unknown>;
  after(request: MiddyRequest<Anything, Context>): Promise<void>;
  onError(request: MiddyRequest<Anything, Context>): Promise<void>;
}
