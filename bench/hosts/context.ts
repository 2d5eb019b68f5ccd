/** The context of an invocation whose time runs out as in Lambda. */

/** @param timeoutMs of the function */
export function makeContext(timeoutMs: number) {
  const endMs = Date.now() + timeoutMs;
  return {
    functionName: 'bench',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:bench',
    memoryLimitInMB: '1769',
    awsRequestId: '00000000-0000-0000-0000-000000000000',
    logGroupName: '/aws/lambda/bench',
    logStreamName: '2026/01/01/[$LATEST]00000000000000000000000000000000',
    getRemainingTimeInMillis: () => endMs - Date.now(),
  };
}

/** What every function of the benchmarks exports. */
export type Handler = (event: unknown, context: ReturnType<typeof makeContext>) => Promise<unknown>;

/** What a poller hands over. */
export function makePushedEvent(messages: number) {
  const body = JSON.stringify({ id: 1 });
  return {
    eventSource: 'memphis',
    eventVersion: '1.0',
    mapping: 'bench',
    station: 's',
    group: 'g',
    messages: Array.from({ length: messages }, (_, index) => ({
      id: `s$1:${index + 1}`,
      partition: 1,
      sequence: index + 1,
      deliveryCount: 1,
      timestamp: '2026-01-01T00:00:00.000Z',
      headers: {},
      body,
      isBase64Encoded: false,
    })),
  };
}
