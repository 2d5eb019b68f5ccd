/** What a failed call of Lambda means: who is at fault, and whether the function can have run. Pure. */

/**
 * - `later`: nothing ran, the same call may succeed soon: no delivery is spent
 * - `payload`: nothing ran, and this payload will never be taken
 * - `mapping`: nothing ran, and no payload will be taken until somebody changes something
 * - `unknown`: the function may have run: counts as its failure
 */
export type InvokeFault = 'later' | 'payload' | 'mapping' | 'unknown';

const faults: Readonly<Record<string, InvokeFault>> = {
  TooManyRequestsException: 'later',
  ThrottlingException: 'later',
  ServiceException: 'later',
  ResourceConflictException: 'later',
  ResourceNotReadyException: 'later',
  EC2ThrottledException: 'later',
  EC2UnexpectedException: 'later',
  ENILimitReachedException: 'later',
  ENINotReadyException: 'later',
  SubnetIPAddressLimitReachedException: 'later',
  EFSIOException: 'later',
  EFSMountConnectivityException: 'later',
  EFSMountTimeoutException: 'later',
  SnapStartNotReadyException: 'later',
  SnapStartTimeoutException: 'later',
  RequestTooLargeException: 'payload',
  SerializedRequestEntityTooLargeException: 'payload',
  InvalidRequestContentException: 'payload',
  // 5xx by status, yet nothing that time heals: settings of the function are wrong.
  EC2AccessDeniedException: 'mapping',
  InvalidRuntimeException: 'mapping',
  InvalidSecurityGroupIDException: 'mapping',
  InvalidSubnetIDException: 'mapping',
  InvalidZipFileException: 'mapping',
  KMSAccessDeniedException: 'mapping',
  KMSDisabledException: 'mapping',
  KMSInvalidStateException: 'mapping',
  KMSNotFoundException: 'mapping',
  RecursiveInvocationException: 'mapping',
  SnapStartException: 'mapping',
  EFSMountFailureException: 'mapping',
  CredentialsProviderError: 'mapping',
};

/** Socket errors that can only come up before a request is written. */
const unsentCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']);

/** The SDK gave up before it sent anything: region or credentials are missing, or a function given for them failed. */
export class NotSentError extends Error {
  constructor(cause: unknown) {
    super('the request was not sent', { cause });
    this.name = 'NotSentError';
  }
}

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly syscall?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Sorts an error that the SDK threw. */
export function classifyInvokeError(error: unknown): InvokeFault {
  if (typeof error !== 'object' || error === null) return 'unknown';
  if (error instanceof NotSentError) return 'mapping';
  const { name = '', message = '', code = '', syscall, $metadata } = error as SdkError;
  const named = Object.hasOwn(faults, name) ? faults[name] : undefined;
  if (named !== undefined) return named;
  if (unsentCodes.has(code) || syscall === 'connect' || syscall === 'getaddrinfo') return 'later';
  // The SDK gives its connection timeout the same name as one while waiting for the answer; only the text differs.
  if (name === 'TimeoutError' && /establish a connection/.test(message)) return 'later';
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return 'unknown';
  if (status === 413) return 'payload';
  if (status === 429) return 'later';
  if (status >= 500) return 'later';
  return status >= 400 ? 'mapping' : 'unknown';
}
