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
