/** The options of a function under test. */

import { type Given, must, on, type ReadSpec, readTexts, text } from '../model/option-spec.ts';

const texts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && [...value].every((item) => typeof item === 'string');

/** The table of {@link StartFunctionOptions}. */
export const startFunctionOptions = {
  /** `file.export`, as Lambda writes it; ES modules, CommonJS, or TypeScript where Node takes it. */
  handler: text,
  /** The folder with the code; left out: the current one. */
  taskRoot: text,
  /** The function's variables; it sees none of those of the test. @default {} */
  env: { read: readTexts, fallback: {} },
  /** Milliseconds of an invocation; then the environment is killed. @default 3000 */
  timeoutMs: { min: 1, max: 900_000, fallback: 3_000 },
  /** What the context says; memory is not limited. @default 128 */
  memoryMb: { min: 128, max: 10_240, fallback: 128 },
  /** What the context says. @default 'test-function' */
  functionName: { fallback: 'test-function' },
  /** Whether the environment stands still (SIGSTOP) while it has nothing to do. @default true */
  freeze: on,
  /** The program that runs it; left out: the Node of the test. */
  node: text,
  /** Flags for Node, beside the two that Lambda sets and the `--conditions` of the test. @default [] */
  execArgv: {
    read: (value) => (texts(value) ? value : must('a list of texts')),
    fallback: [],
  } as ReadSpec<readonly string[]>,
} as const;

/** Options of {@link startFunction}; all but `handler` may be left out. */
export interface StartFunctionOptions extends Given<typeof startFunctionOptions> {}

/** The table of {@link InvokeOptions}. */
export const invokeOptions = {
  /** Left out: the function's. */
  timeoutMs: { min: 1, max: 900_000 },
  /** Left out: a random one. */
  requestId: text,
  /** What the handler finds in `context.clientContext`. */
  clientContext: {
    read: (value) => (typeof value === 'object' && value !== null ? value : must('an object')),
    fallback: undefined,
  } as ReadSpec<object | undefined>,
} as const;

/** Options of one invocation. */
export interface InvokeOptions extends Given<typeof invokeOptions> {}
