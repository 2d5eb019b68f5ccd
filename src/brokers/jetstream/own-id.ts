/** Message ids of our own. */

let made = 0;
const randomText = (): string => Math.random().toString(36).slice(2);
const processId = `${randomText()}.${randomText()}`;

/** An id for what the user gave none: unique enough to tell our repeats from anybody's messages. */
export const ownId = (): string => `${processId}.${made++}`;
