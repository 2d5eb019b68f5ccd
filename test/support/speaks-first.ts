/** The environment of a function whose first requests leave with its credentials, before the server has said a word. */
export const SPEAKS_FIRST = { MEMPHIS_BROKER: 'jetstream', MEMPHIS_TLS: 'false' };
