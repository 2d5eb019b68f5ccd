/** Where the AWS SDK is: loaded on first use, or handed in. Nothing else of the package names it. */

import type { InvokeCommand } from '@aws-sdk/client-lambda';
import { hasKey, MemphisError } from '../model/errors.ts';
import { NotSentError } from './invoke-error.ts';

/** What we use of a `LambdaClient`. */
export interface LambdaLike {
  send(...args: never[]): unknown;
}

/** What the constructor of `LambdaClient` takes. Not its own type: users' types must hold without the SDK installed. */
export type LambdaConfiguration = object;

/** A `LambdaClient`, or its configuration. */
export type LambdaOption = LambdaLike | LambdaConfiguration;

/** A configuration with our settings in it. */
export interface LambdaSettings {
  readonly maxAttempts?: unknown;
  readonly requestHandler: unknown;
}

/** What Lambda answered. */
export interface InvokeAnswer {
  /** Set when the function failed; the payload then holds its error. */
  readonly FunctionError?: string | undefined;
  /** The SDK makes null of an answer without a byte, whatever its types say. */
  readonly Payload?: Uint8Array | null | undefined;
}

/** Calls a function and waits for its answer. Rejects with the SDK's errors. */
export interface LambdaPort {
  invoke(functionName: string, payload: Uint8Array, signal: AbortSignal): Promise<InvokeAnswer>;
  /** Ends idle sockets of a client that we made. */
  close(): void;
}

/** Longer than a function can run (900 s), so that it is Lambda that ends a call. */
const REQUEST_TIMEOUT_MS = 905_000;
const CONNECTION_TIMEOUT_MS = 5_000;

/**
 * The client's settings for synchronous invocations. The SDK repeats a request by default, and so would run a
 * function again whose answer was merely slow; and it takes fewer sockets than we need.
 */
export function lambdaSettings(given: LambdaConfiguration, maxSockets: number): LambdaSettings {
  const agent = { keepAlive: true, maxSockets };
  const ours = {
    requestTimeout: REQUEST_TIMEOUT_MS,
    socketTimeout: REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    httpAgent: agent,
    httpsAgent: agent,
  };
  const theirs = (given as { readonly requestHandler?: unknown }).requestHandler;
  const isHandler = typeof theirs === 'object' && theirs !== null && 'handle' in theirs;
  const requestHandler = isHandler ? theirs : { ...ours, ...(theirs as object | undefined) };
  return { maxAttempts: 1, ...given, requestHandler };
}

/**
 * Makes the port out of what the caller gave.
 *
 * @param maxSockets invocations at the same time, over all mappings
 * @throws MemphisError `DEPENDENCY_MISSING` when `@aws-sdk/client-lambda` is not installed
 */
export async function openLambda(given: LambdaOption | undefined, maxSockets: number): Promise<LambdaPort> {
  const { InvokeCommand, LambdaClient } = await loadSdk();
  const ours = isClient(given) ? undefined : new LambdaClient(lambdaSettings(given ?? {}, maxSockets) as object);
  const client = (ours ?? given) as { send(command: unknown, options: unknown): Promise<InvokeAnswer> };
  return {
    invoke: async (FunctionName, Payload, abortSignal) => {
      const command = new InvokeCommand({ FunctionName, Payload, InvocationType: 'RequestResponse' });
      const sending = watchSending(client, command);
      try {
        return await client.send(command, { abortSignal });
      } catch (error) {
        throw sending.hasBegun() ? error : new NotSentError(error);
      }
    },
    close: () => ours?.destroy(),
  };
}

function isClient(given: LambdaOption | undefined): given is LambdaLike {
  return given !== undefined && hasKey(given, 'send') && typeof (given as Partial<LambdaLike>).send === 'function';
}

/** Whether a command was given to the network. A client that is none of the SDK's does not say: it may have been. */
function watchSending(client: object, command: InvokeCommand): { hasBegun(): boolean } {
  let hasBegun = !('middlewareStack' in client);
  command.middlewareStack.add(
    (next) => async (args) => {
      hasBegun = true;
      return next(args);
    },
    { step: 'deserialize', priority: 'low' }, // the last step before the request handler
  );
  return { hasBegun: () => hasBegun };
}

async function loadSdk(): Promise<typeof import('@aws-sdk/client-lambda')> {
  try {
    return await import('@aws-sdk/client-lambda');
  } catch (cause) {
    throw new MemphisError(
      'DEPENDENCY_MISSING',
      'The poller invokes functions with @aws-sdk/client-lambda, which could not be loaded. Install it: npm install @aws-sdk/client-lambda',
      { cause },
    );
  }
}
