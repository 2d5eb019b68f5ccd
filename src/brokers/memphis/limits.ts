/** What a Memphis broker allows, and how long it takes. */

/** The broker lowers more to this without a word (5.2). */
export const MAX_DELIVERIES = 10;
/** As long as the broker may take for a request that makes something. */
export const CONTROL_LIMIT_MS = 20_000;
