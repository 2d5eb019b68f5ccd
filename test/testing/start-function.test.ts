/** `startFunction`: what happens to invocations in AWS's own runtime client, case by case. */

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMemphisError } from '../../src/model/errors.ts';
import { type RunningFunction, type StartFunctionOptions, startFunction } from '../../src/testing/index.ts';
import { isAlive, untilGone } from '../support/is-alive.ts';

const taskRoot = join(import.meta.dirname, '../support/functions');
const start = (options: StartFunctionOptions = {}) => startFunction({ handler: 'basic.handler', taskRoot, ...options });

/** Resolves when a line has been written that contains some text. */
async function untilWritten(owned: RunningFunction, text: string): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(5)) {
    if (owned.logs().some((line) => line.includes(text))) return;
  }
  assert.fail(`nothing was written with ${text}`);
}

describe('an environment', () => {
  test('is started by the first invocation and kept for those after it', async () => {
    await using owned = await start();
    assert.equal(owned.pid, undefined);
    const first = await owned.invoke();
    assert.deepEqual(first.payload, { invocations: 1, ticks: 0 });
    assert.equal(first.coldStart, true);
    const { pid } = owned;
    const second = await owned.invoke({});
    assert.deepEqual(second.payload, { invocations: 2, ticks: 0 });
    assert.equal(second.coldStart, false);
    assert.equal(second.functionError, undefined);
    assert.ok(second.durationMs > 0);
    assert.equal(owned.pid, pid);
  });

  test('stands still between invocations, and goes on where told so', async () => {
    await using frozen = await start();
    await using running = await start({ freeze: false });
    for (const owned of [frozen, running]) await owned.invoke({ do: 'tick' });
    await sleep(500);
    const [still, busy] = await Promise.all([frozen.invoke(), running.invoke()]);
    assert.ok((still.payload as { ticks: number }).ticks <= 2, JSON.stringify(still.payload));
    assert.ok((busy.payload as { ticks: number }).ticks > 2, JSON.stringify(busy.payload));
  });

  test('is told what Lambda tells, and nothing of the process that tests', async () => {
    process.env.SECRET_OF_THE_TEST = 'yes';
    await using owned = await start({
      functionName: 'billing',
      memoryMb: 512,
      env: { MINE: 'a', AWS_REGION: 'eu-west-1' },
    });
    const { payload } = await owned.invoke({ do: 'environment' });
    delete process.env.SECRET_OF_THE_TEST;
    const { env, cwd, flags } = payload as { env: Record<string, string>; cwd: string; flags: string[] };
    assert.equal(env.MINE, 'a');
    assert.equal(env.AWS_REGION, 'eu-west-1');
    assert.equal(env.AWS_LAMBDA_FUNCTION_NAME, 'billing');
    assert.equal(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE, '512');
    assert.equal(env._HANDLER, 'basic.handler');
    assert.equal(env.LAMBDA_TASK_ROOT, taskRoot);
    assert.equal(env.SECRET_OF_THE_TEST, undefined);
    assert.equal(cwd, taskRoot);
    assert.deepEqual(flags, ['--no-experimental-require-module', '--no-experimental-detect-module']);
  });

  test('gets a context with the time of the invocation', async () => {
    await using owned = await start({ timeoutMs: 60_000 });
    const options = { timeoutMs: 30_000, requestId: 'request-1', clientContext: { custom: { a: 'b' } } };
    const { payload, requestId } = await owned.invoke({ do: 'context' }, options);
    const { remainingMs, ...context } = payload as Record<string, unknown>;
    assert.ok(Number(remainingMs) > 20_000 && Number(remainingMs) <= 30_000);
    assert.equal(requestId, 'request-1');
    assert.partialDeepStrictEqual(context, {
      awsRequestId: 'request-1',
      functionName: 'test-function',
      memoryLimitInMB: '128',
      clientContext: { custom: { a: 'b' } },
    });
  });

  test('can be started ahead of the first invocation', async () => {
    await using owned = await start();
    await owned.init();
    assert.deepEqual(
      owned.logs().map((line) => line.split('\t').at(-1)),
      ['loaded'],
    );
    assert.equal((await owned.invoke()).coldStart, false);
  });
});

describe('an invocation', () => {
  test('has its own lines of the log', async () => {
    await using owned = await start();
    const lines = async (what: string) =>
      (await owned.invoke({ do: what })).logs.map((line) => line.split('\t').at(-1) ?? '');
    assert.deepEqual((await lines('nothing')).concat(await lines('nothing')), ['loaded']);
    assert.deepEqual((await lines('write')).sort(), ['an error', 'to stderr']);
    assert.deepEqual(await lines('nothing'), []);
    assert.equal(owned.logs().length, 3);
  });

  test('waits for the one before it', async () => {
    await using owned = await start();
    const answers = await Promise.all([owned.invoke(), owned.invoke(), owned.invoke()]);
    assert.deepEqual(
      answers.map(({ payload }) => (payload as { invocations: number }).invocations),
      [1, 2, 3],
    );
  });

  test('that throws fails in the words of Lambda, and the environment lives on', async () => {
    await using owned = await start();
    const { payload, functionError, error } = await owned.invoke({ do: 'throw' });
    assert.equal(functionError, 'Unhandled');
    assert.equal(error?.errorType, 'TypeError');
    assert.equal(error?.errorMessage, 'no such thing');
    assert.match(error?.trace?.[1] ?? '', /basic\.ts/);
    assert.deepEqual(payload, error);
    assert.equal((await owned.invoke()).coldStart, false);
  });

  test('that returns nothing answers null', async () => {
    await using owned = await start();
    assert.equal((await owned.invoke({ do: 'nothing' })).payload, null);
  });

  const ends = [
    ['exit', 'Runtime.ExitError', /exit status 7$/],
    ['leave', 'Runtime.ExitError', /without providing a reason$/],
    ['reject', 'Runtime.ExitError', /exit status 1$/],
    ['hang', 'Sandbox.Timedout', /Task timed out after 0\.50 seconds$/],
  ] as const;
  for (const [what, errorType, message] of ends) {
    test(`that ends with ${what} is a ${errorType}, and the next one finds a new environment`, async () => {
      await using owned = await start({ timeoutMs: what === 'hang' ? 500 : 10_000 });
      await owned.init();
      const failed = await owned.invoke({ do: what });
      assert.equal(failed.functionError, 'Unhandled');
      assert.equal(failed.error?.errorType, errorType);
      assert.match(failed.error?.errorMessage ?? '', message);
      assert.ok(failed.error?.errorMessage.includes(failed.requestId));
      assert.equal(owned.pid, undefined);
      const next = await owned.invoke(undefined, { timeoutMs: 10_000 });
      assert.deepEqual([next.coldStart, next.payload], [true, { invocations: 1, ticks: 0 }]);
    });
  }

  test('may answer as much as Lambda takes, and not more', async () => {
    await using owned = await start({ timeoutMs: 30_000 });
    const most = await owned.invoke({ do: 'large', bytes: 6_291_556 - 2 });
    assert.equal(most.functionError, undefined);
    assert.equal((most.payload as string).length, 6_291_554);
    const more = await owned.invoke({ do: 'large', bytes: 6_291_556 - 1 });
    assert.equal(more.error?.errorType, 'Function.ResponseSizeTooLarge');
    assert.equal((await owned.invoke()).coldStart, false);
  });

  test('is refused with an event that is too large', async () => {
    await using owned = await start();
    await assert.rejects(owned.invoke('x'.repeat(6_291_456)), (error) => isMemphisError(error, 'PAYLOAD_TOO_LARGE'));
    assert.equal(owned.pid, undefined);
  });
});

describe('at any moment', () => {
  test('an invocation can be frozen and thawed', async () => {
    await using owned = await start({ timeoutMs: 30_000 });
    const answer = owned.invoke({ do: 'work', ms: 500 });
    await untilWritten(owned, 'step 2');
    owned.freeze();
    await sleep(50); // what was written by then arrives
    const written = owned.logs().length;
    await sleep(300);
    assert.equal(owned.logs().length, written);
    assert.ok(written < 11);
    owned.thaw();
    const { payload, durationMs } = await answer;
    assert.deepEqual(payload, { invocations: 1, ticks: 0 });
    assert.ok(durationMs > 700);
  });

  test('the time of a frozen invocation goes on', async () => {
    await using owned = await start({ timeoutMs: 1_000 });
    await owned.init();
    const answer = owned.invoke({ do: 'work', ms: 500 });
    await untilWritten(owned, 'step 0');
    owned.freeze();
    assert.equal((await answer).error?.errorType, 'Sandbox.Timedout');
  });

  test('an invocation can be killed, with all that it has started', async () => {
    await using owned = await start({ timeoutMs: 30_000 });
    const pid = Number((await owned.invoke({ do: 'child' })).payload);
    const answer = owned.invoke({ do: 'hang' });
    await sleep(20);
    await owned.kill();
    const { error } = await answer;
    assert.match(error?.errorMessage ?? '', /Runtime exited with error: signal: killed$/);
    await untilGone(() => !isAlive(pid));
    assert.throws(
      () => owned.freeze(),
      (thrown) => isMemphisError(thrown, 'CLOSED'),
    );
    assert.throws(
      () => owned.thaw(),
      (thrown) => isMemphisError(thrown, 'CLOSED'),
    );
  });

  test('an idle environment is told to shut down, and its listener is heard', async () => {
    await using owned = await start();
    await owned.invoke({ do: 'sigterm' });
    const { pid } = owned;
    await owned.shutdown();
    assert.ok(pid !== undefined && !isAlive(pid));
    assert.ok(owned.logs().at(-1)?.endsWith('said goodbye'));
    assert.equal((await owned.invoke()).coldStart, true);
  });

  test('one that does not end in time is killed', async () => {
    await using owned = await start();
    await owned.invoke({ do: 'clean-up-forever' });
    const { pid } = owned;
    await owned.shutdown();
    assert.ok(pid !== undefined && !isAlive(pid));
    assert.ok(owned.logs().at(-1)?.endsWith('not yet'));
  });

  test('all can be stopped, an invocation under way included', async () => {
    const owned = await start({ timeoutMs: 30_000 });
    await owned.init();
    const { pid } = owned;
    const answers = [owned.invoke({ do: 'hang' }), owned.invoke()] as const;
    await sleep(20);
    await Promise.all([owned.stop(), owned.stop(), assert.rejects(answers[1], (e) => isMemphisError(e, 'CLOSED'))]);
    assert.equal((await answers[0]).error?.errorType, 'Runtime.ExitError');
    assert.ok(pid !== undefined && !isAlive(pid));
    await assert.rejects(owned.invoke(), (error) => isMemphisError(error, 'CLOSED'));
    await assert.rejects(owned.init(), (error) => isMemphisError(error, 'CLOSED'));
  });
});

describe('its owner', () => {
  const owner = (what: string) =>
    spawn(process.execPath, [join(import.meta.dirname, '../support/function-owner.ts'), what], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const pidOf = async (child: ReturnType<typeof owner>): Promise<number> => {
    const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
    return (JSON.parse(line.toString()) as { pid: number }).pid;
  };

  test('killed, it takes a frozen environment along', async () => {
    const child = owner('wait');
    const pid = await pidOf(child);
    assert.ok(isAlive(pid));
    child.kill('SIGKILL');
    await untilGone(() => !isAlive(pid));
  });

  test('is not kept alive by a function that it forgot', async () => {
    const child = owner('forget');
    const ended = once(child, 'exit');
    const pid = await pidOf(child);
    assert.deepEqual(await ended, [0, null]);
    await untilGone(() => !isAlive(pid));
  });
});

describe('a handler', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'memphis-serverless-test-'));
    const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
    mkdirSync(join(folder, 'sub'));
    write('esm.mjs', `export const handler = async () => [import.meta.url.slice(-7), typeof require];`);
    write('cjs.js', `exports.nested = { handler: async () => [typeof require, module.id.slice(-6)] };`);
    write('sub/typed.mts', `export const handler = async (event: { a: number }): Promise<number> => event.a;`);
    write('callback.cjs', `exports.handler = (event, context, callback) => callback(null, 1);`);
    write('broken.cjs', `exports.handler = async () => {`);
    write('lost.cjs', `require('./nowhere'); exports.handler = async () => {};`);
    write('thrown.mjs', `throw new RangeError('at load');`);
    write('other.cjs', `exports.handlers = 1;`);
    write('ends.cjs', `process.exit(3);`);
    write(
      'stream.mjs',
      `export const handler = awslambda.streamifyResponse(async (event, stream) => {
        stream.write('not JSON: ');
        if (event.fail) throw new Error('half-way');
        stream.write('end');
        stream.end();
        await new Promise((resolve) => stream.on('finish', resolve));
      });`,
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const forms = [
    ['ES modules', 'esm.handler', ['esm.mjs', 'undefined']],
    ['CommonJS, nested', 'cjs.nested.handler', ['function', 'cjs.js']],
    ['TypeScript, in a folder', 'sub/typed.handler', 1],
  ] as const;
  for (const [name, handler, answer] of forms) {
    test(`may be written as ${name}`, async () => {
      await using owned = await startFunction({ handler, taskRoot: folder });
      assert.deepEqual((await owned.invoke({ a: 1 })).payload, answer);
    });
  }

  test('may stream its response', async () => {
    await using owned = await startFunction({ handler: 'stream.handler', taskRoot: folder });
    assert.equal((await owned.invoke({})).payload, 'not JSON: end');
    assert.equal((await owned.invoke({ fail: true })).error?.errorMessage, 'half-way');
    assert.equal((await owned.invoke({})).coldStart, false);
  });

  const faults = [
    ['takes a callback', 'callback.handler', 'Runtime.CallbackHandlerDeprecated'],
    ['has a syntax error', 'broken.handler', 'Runtime.UserCodeSyntaxError'],
    ['needs a module that is missing', 'lost.handler', 'Runtime.ImportModuleError'],
    ['is in no file', 'nowhere.handler', 'Runtime.ImportModuleError'],
    ['throws at load', 'thrown.handler', 'RangeError'],
    ['is not exported', 'other.handler', 'Runtime.HandlerNotFound'],
    ['ends at load', 'ends.handler', 'Runtime.ExitError'],
    ['has no file name', 'handler', 'Runtime.MalformedHandlerName'],
  ] as const;
  for (const [what, handler, errorType] of faults) {
    test(`that ${what} fails each invocation with ${errorType}`, async () => {
      await using owned = await startFunction({ handler, taskRoot: folder });
      for (let time = 1; time <= 2; time++) {
        const { error, durationMs, coldStart } = await owned.invoke();
        assert.equal(error?.errorType, errorType);
        assert.deepEqual([durationMs, coldStart], [0, true]);
      }
      await assert.rejects(owned.init(), (thrown) => isMemphisError(thrown, 'FUNCTION_FAILED'));
    });
  }

  test('needs aws-lambda-ric, and the error says how to install it', () => {
    const index = new URL('../../src/testing/index.ts', import.meta.url).href;
    writeFileSync(
      join(folder, 'user.mjs'),
      `import { startFunction } from '${index}';
      await startFunction({ handler: 'esm.handler' }).catch((error) => console.log(error.code, error.message));`,
    );
    const said = execFileSync(process.execPath, ['user.mjs'], { cwd: folder, encoding: 'utf8' });
    assert.match(said, /^DEPENDENCY_MISSING .*npm install --save-dev --ignore-scripts aws-lambda-ric/);
  });
});

const node22 = join(import.meta.dirname, '../../node_modules/node22-linux-x64/bin/node');
test('may run under another Node', { skip: !existsSync(node22) }, async () => {
  await using owned = await start({ node: node22, execArgv: ['--stack-trace-limit=3'] });
  const { payload } = await owned.invoke({ do: 'environment' });
  const { env, flags } = payload as { env: Record<string, string>; flags: string[] };
  assert.equal(env.AWS_EXECUTION_ENV, 'AWS_Lambda_nodejs22.x');
  assert.equal(flags[0], '--no-experimental-require-module');
  const { error } = await owned.invoke({ do: 'throw' });
  assert.equal(error?.trace?.length, 4);
});

test('options are checked', async () => {
  const refused: readonly (readonly [StartFunctionOptions, string])[] = [
    [{}, 'INVALID_OPTION'],
    [{ handler: 'a.b', env: { a: 1 } as never }, 'INVALID_OPTION'],
    [{ handler: 'a.b', timeoutMs: 900_001 }, 'INVALID_OPTION'],
    [{ handler: 'a.b', memoryMB: 512 } as never, 'INVALID_OPTION'],
    [{ handler: 'a.b', node: '/nowhere/node' }, 'PROGRAM_FAILED'],
    [{ handler: 'a.b', taskRoot: '/nowhere' }, 'INVALID_OPTION'],
  ];
  for (const [options, code] of refused) {
    await assert.rejects(startFunction(options), (error) => isMemphisError(error) && error.code === code);
  }
  await using owned = await start();
  await assert.rejects(owned.invoke({}, { timeout: 5 } as never), (error) => isMemphisError(error, 'INVALID_OPTION'));
});
