/** Builds the context of an invocation, whose time runs out as it does in Lambda. */

import type { LambdaContext } from '../model/lambda-context.ts';
import { callback, type Given } from '../model/option-spec.ts';
import { resolveOptions } from '../model/resolve-options.ts';

const contextOptions = {
  /** Milliseconds of the invocation, counted from the call of `makeContext`. As Lambda's own default. @default 3000 */
  timeoutMs: { min: 0, max: Number.MAX_SAFE_INTEGER, fallback: 3_000 },
  /** @default 'test-function' */
  functionName: { fallback: 'test-function' },
  /** @default zeros in the form of a UUID */
  awsRequestId: { fallback: '00000000-0000-0000-0000-000000000000' },
  /** Tells the time in milliseconds; left out: `Date.now`. */
  now: callback<() => number>(),
} as const;

/** Options of {@link makeContext}. */
export interface MakeContextOptions extends Given<typeof contextOptions> {}

/** Makes a context. Its remaining time goes down to 0 and stays there. @throws MemphisError `INVALID_OPTION` */
export function makeContext(options?: MakeContextOptions): LambdaContext {
  const {
    timeoutMs,
    functionName,
    awsRequestId,
    now = Date.now,
  } = resolveOptions('makeContext', contextOptions, options);
  const endMs = now() + timeoutMs;
  return {
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:eu-central-1:000000000000:function:${functionName}`,
    memoryLimitInMB: '128',
    awsRequestId,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: '2026/01/01/[$LATEST]00000000000000000000000000000000',
    getRemainingTimeInMillis: () => Math.max(0, endMs - now()),
  };
}
