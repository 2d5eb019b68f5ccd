/** Message ids of our own. */

let made = 0;
let processId = '';
function randomText(): string {
  return Math.random().toString(36).slice(2);
}

/** An id for what the user gave none: unique enough to tell our repeats from anybody's messages. */
export function ownId(): string {
  processId ||= `${randomText()}.${randomText()}`;
  return `${processId}.${made++}`;
}
