/** Apart from all that reads events, so that a function which pulls evaluates nothing of it. */

/** Whether an event says that it is a pushed batch; {@link fromEvent} tells whether it is a good one. */
export function isMemphisEvent(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'eventSource' in event && event.eventSource === 'memphis';
}
