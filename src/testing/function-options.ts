/** The options of a function under test. */

import { type Given, must, on, type ReadSpec, readTexts, text } from '../model/option-spec.ts';

const texts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && [...value].every((item) => typeof item === 'string');

/** The table of {@link StartFunctionOptions}. */
export const startFunctionOptions = {
  /** `file.export`, as Lambda writes it: `orders.handler`, `dist/orders.handler`. */
  handler: text,
  /** The folder with the code, and the working directory. Left out: the current one. */
  taskRoot: text,
  /** Environment variables of the function. It sees none of this process's own. */
  env: { read: readTexts, fallback: {} },
  /** Time of an invocation; then the environment is killed. */
  timeoutMs: { min: 1, max: 900_000, fallback: 3_000 },
  /** What the context says; the memory is not limited. */
  memoryMb: { min: 128, max: 10_240, fallback: 128 },
  functionName: { fallback: 'test-function' },
  /** Whether the environment stands still (SIGSTOP) while it has nothing to do. */
  freeze: on,
  /** The program that runs it; left out: the Node that runs this. */
  node: text,
  /** Flags for Node, beside those that Lambda sets and the `--conditions` of this process. */
  execArgv: {
    read: (value) => (texts(value) ? value : must('a list of texts')),
    fallback: [],
  } as ReadSpec<readonly string[]>,
} as const;

/** Options of {@link startFunction}; all but `handler` may be left out. */
export type StartFunctionOptions = Given<typeof startFunctionOptions>;

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
export type InvokeOptions = Given<typeof invokeOptions>;
