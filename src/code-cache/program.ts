/** The program with which a Node makes a cache: of all functions, or of those that ran by the end of some invocations. Pure. */

/** Invocations that come before the cache is taken. */
export interface Run {
  /** As JSON; each is handed to the handler, one after the other, in the same process. */
  readonly events: readonly string[];
  /** Of the bundle's exports. */
  readonly handler: string;
  /** For loading the bundle and all invocations; it is also what the context says. */
  readonly timeoutMs: number;
}

/** What the program is told. */
export interface Making {
  /** Where the code is, and where the cache is put, but for the Node's version and the ending. */
  readonly code: string;
  readonly cache: string;
  /** How the code is called in stack traces, and where its `import()` looks. */
  readonly filename: string;
  readonly columnOffset: number;
  /** The file whose place the code takes: what it requires is looked for from there. */
  readonly bundle: string;
  /** Where it puts its {@link Report}. */
  readonly report: string;
  readonly run: Run | undefined;
}

/** As `process` has them. */
export interface ForNode {
  readonly version: string;
  readonly arch: string;
}

/** What the program tells, at last: that the bundle is being run, what failed, or for whom the cache is. */
export type Report =
  | { readonly begun: true }
  | ForNode
  | { readonly failed: 'compile' | 'load' | 'invoke'; readonly error: string }
  | { readonly failed: 'find'; readonly functions: readonly string[] };

/**
 * V8 compiles a function when it is called first. For a cache of all it is told not to be lazy; for one of a run it must keep what it
 * compiled early on. Its flags are noted in the cache (bytes 12 to 15): those that it started with, whatever it or the function has set since.
 */
const compiling = `
const { readFileSync, writeFileSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { Script, constants } = require('node:vm');
const { exit, version, arch } = process;
const tell = (report) => writeFileSync(making.report, JSON.stringify(report));
const end = (report) => {
  tell(report);
  exit(0);
};
const fail = (failed, error) => {
  let words = 'a thrown value that cannot be read';
  try {
    words = String(error?.stack ?? error);
    if (typeof error?.code === 'string') words = error.code + ': ' + words;
  } catch {
    // its fields throw: the words above say so
  }
  end({ failed, error: words });
};
const atStart = new Script('').createCachedData();
setFlagsFromString(making.run === undefined ? '--no-lazy' : '--no-flush-bytecode');
let script;
try {
  script = new Script(readFileSync(making.code, 'utf8'), {
    filename: making.filename,
    columnOffset: making.columnOffset,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
} catch (error) {
  fail('compile', String(error));
}
const take = () => {
  const cache = script.createCachedData();
  atStart.copy(cache, 12, 12, 16);
  writeFileSync(making.cache + '.' + version + '-' + arch + '.cache', cache);
  end({ version, arch });
};
`;

/** The process ends with the last invocation, whatever that leaves open, as Lambda freezes it there. */
const running = `
const { createRequire, Module } = require('node:module');
const { dirname } = require('node:path');
const { events, handler: name, timeoutMs } = making.run;
const endMs = Date.now() + timeoutMs;
setTimeout(exit, timeoutMs + 1000, 1).unref(); // should whoever waits for this be gone
const functionName = process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'code-cache';
const makeContext = () => ({
  functionName,
  functionVersion: '$LATEST',
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:' + functionName,
  memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? '128',
  awsRequestId: '00000000-0000-0000-0000-000000000000',
  logGroupName: '/aws/lambda/' + functionName,
  logStreamName: '2026/01/01/[$LATEST]00000000000000000000000000000000',
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => Math.max(0, endMs - Date.now()),
});
const invoke = (handler, event) => new Promise((resolve, reject) => {
  const answer = handler(event, makeContext(), (error, value) => (error == null ? resolve(value) : reject(error)));
  if (typeof answer?.then === 'function') answer.then(resolve, reject);
  else if (handler.length < 3) resolve(answer);
});
const itsRequire = createRequire(making.bundle);
const itsModule = new Module(making.bundle);
itsModule.filename = making.bundle;
itsModule.paths = itsRequire.resolve.paths('a') ?? [];
itsRequire.cache[making.bundle] = itsModule;
const load = () => {
  script.runInThisContext().call(
    itsModule.exports, itsModule.exports, itsRequire, itsModule, making.bundle, dirname(making.bundle),
  );
  itsModule.loaded = true;
  return itsModule.exports;
};
(async () => {
  tell({ begun: true });
  let all;
  try {
    all = load();
  } catch (error) {
    fail('load', error);
  }
  const handler = all?.[name];
  if (typeof handler !== 'function') {
    end({ failed: 'find', functions: Object.keys(all ?? {}).filter((key) => typeof all[key] === 'function') });
  }
  try {
    for (const event of events) await invoke(handler, JSON.parse(event));
  } catch (error) {
    fail('invoke', error);
  }
  take();
})();
`;

/** A CommonJS module that does it. */
export function writeProgram(making: Making): string {
  const order = `'use strict';\nconst making = ${JSON.stringify(making)};\n`;
  return order + compiling + (making.run === undefined ? 'take();\n' : running);
}
