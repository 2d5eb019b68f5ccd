import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classifyInvokeError } from '../../src/poller/invoke-error.ts';
import { sdkError } from './fakes.ts';

const socketError = (code: string, syscall?: string): Error =>
  Object.assign(new Error(code), { code, ...(syscall !== undefined && { syscall }) });
const timeout = (message: string): Error => Object.assign(new Error(message), { name: 'TimeoutError' });

for (const [fault, error] of [
  ['later', sdkError('TooManyRequestsException', 429)],
  ['later', sdkError('ServiceException', 500)],
  ['later', sdkError('EC2ThrottledException', 502)],
  ['later', sdkError('ENILimitReachedException', 502)],
  ['later', sdkError('ResourceNotReadyException', 502)],
  ['later', sdkError('ResourceConflictException', 409)],
  ['later', sdkError('SomethingNew', 503)],
  ['later', socketError('ECONNREFUSED', 'connect')],
  ['later', socketError('ETIMEDOUT', 'connect')],
  ['later', socketError('ENOTFOUND', 'getaddrinfo')],
  ['later', timeout('the request socket did not establish a connection with the server within 5000 ms')],
  ['payload', sdkError('RequestTooLargeException', 413)],
  ['payload', sdkError('SomethingNew', 413)],
  ['payload', sdkError('InvalidRequestContentException', 400)],
  ['mapping', sdkError('ResourceNotFoundException', 404)],
  ['mapping', sdkError('AccessDeniedException', 403)],
  ['mapping', sdkError('KMSDisabledException', 502)],
  ['mapping', sdkError('InvalidRuntimeException', 502)],
  ['mapping', sdkError('RecursiveInvocationException', 400)],
  ['mapping', sdkError('CredentialsProviderError')],
  ['unknown', socketError('ECONNRESET', 'read')],
  ['unknown', socketError('EPIPE', 'write')],
  ['unknown', timeout('a request has exceeded the configured 905000 ms requestTimeout.')],
  ['unknown', new Error('what')],
  ['unknown', undefined],
  ['unknown', 'text'],
] as const) {
  const what = error instanceof Error ? `${error.name} ${error.message}` : String(error);
  test(`sorts ${what} as ${fault}`, () => {
    assert.equal(classifyInvokeError(error), fault);
  });
}

test('is not fooled by an error that carries the name of a built-in', () => {
  assert.equal(classifyInvokeError(sdkError('toString')), 'unknown');
});
