/** Builds the context of an invocation, whose time runs out as it does in Lambda. */

import type { LambdaContext } from '../model/lambda-context.ts';

/** Options of {@link makeContext}. */
export interface MakeContextOptions {
  /** Time of the invocation, counted from the call of `makeContext`. @default 3000, as Lambda's */
  readonly timeoutMs?: number;
  /** @default 'test-function' */
  readonly functionName?: string;
  /** @default an id of zeros */
  readonly awsRequestId?: string;
  /** Tells the time in milliseconds. @default `Date.now` */
  readonly now?: () => number;
}

/** Makes a context. Its remaining time goes down to 0 and stays there. */
export function makeContext(options: MakeContextOptions = {}): LambdaContext {
  const { timeoutMs = 3000, functionName = 'test-function', now = Date.now } = options;
  const endMs = now() + timeoutMs;
  return {
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:eu-central-1:000000000000:function:${functionName}`,
    memoryLimitInMB: '128',
    awsRequestId: options.awsRequestId ?? '00000000-0000-0000-0000-000000000000',
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: '2026/01/01/[$LATEST]00000000000000000000000000000000',
    getRemainingTimeInMillis: () => Math.max(0, endMs - now()),
  };
}
