import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { each } from '../../src/batch/each.ts';
import { withMemphis } from '../../src/lambda/with-memphis.ts';
import { withProducer } from '../../src/lambda/with-producer.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import { DeadLetter, RetryLater } from '../../src/model/outcome.ts';
import { standard } from '../../src/schemas/standard.ts';
import { makeContext, makeEvent } from '../../src/testing/index.ts';
import { hasCode } from '../support/has-code.ts';

const event = makeEvent({ messages: [{ n: 0 }, { n: 1 }, { n: 2 }] });
const context = makeContext({ timeoutMs: 60_000 });
const exactly = { backoffBaseMs: 0, backoffMaxMs: 0 } as const;

let logged: () => string[];
beforeEach(() => {
  const error = mock.method(console, 'error', () => {});
  logged = () => error.mock.calls.map((call) => call.arguments.map(String).join(' '));
});
afterEach(() => mock.restoreAll());

describe('a function without a driver', () => {
  beforeEach(() => {
    process.env.MEMPHIS_DRIVER = 'none';
  });
  afterEach(() => {
    delete process.env.MEMPHIS_DRIVER;
  });
  const refused = { code: 'UNSUPPORTED', message: /^withMemphis: .*MEMPHIS_DRIVER=none/ };

  it('handles what is pushed', async () => {
    const handler = withMemphis(async () => {}, { station: 'orders', group: 'billing', prefetch: true });
    assert.deepEqual(await handler(event, context), { batchItemFailures: [] });
  });

  it('refuses whatever else it is invoked with, before the handler sees it', async () => {
    const handle = mock.fn(async () => {});
    const handler = withMemphis(handle, { station: 'orders', group: 'billing' });
    for (const other of [{}, undefined, { Records: [] }]) await assert.rejects(handler(other, context), refused);
    assert.equal(handle.mock.callCount(), 0);
  });

  it('produces nothing either', async () => {
    const produce = withProducer(async (_, { produce }) => await produce('a'), {
      station: 'orders',
      servers: ['127.0.0.1:4222'],
    });
    await assert.rejects(produce({}, context), { code: 'UNSUPPORTED' });
  });
});

describe('a pushed batch', () => {
  it('is answered with an empty list when all is well', async () => {
    const handler = withMemphis(async (messages) => messages.map((message) => message.value()));
    assert.deepEqual(await handler(event, context), { batchItemFailures: [] });
    assert.deepEqual(logged(), []);
  });

  it('is answered message by message, exactly', async () => {
    const handler = withMemphis(
      each<{ n: number }>(({ n }) => {
        if (n === 0) throw new RetryLater({ delayMs: 60_000, reason: 'rate limit' });
        if (n === 1) throw new DeadLetter({ reason: 'unknown customer' });
      }),
    );
    assert.deepEqual(await handler(event, context), {
      batchItemFailures: [
        { itemIdentifier: 'orders$1:1', action: 'retry', delayMs: 60_000, reason: 'rate limit' },
        { itemIdentifier: 'orders$1:2', action: 'deadLetter', reason: 'unknown customer' },
      ],
    });
    assert.match(
      logged()[0] ?? '',
      // no stack: both were meant
      /2 of 3 messages of orders\/billing failed: orders\$1:1 \(rate limit\), orders\$1:2 \(unknown customer\)$/,
    );
  });

  it('is logged with each reason once, behind the messages that share it', async () => {
    const failing = each<{ n: number }>(({ n }) => {
      throw new Error(n < 2 ? 'the bank is closed' : 'unknown');
    });
    await withMemphis(failing)(event, context);
    const ids = 'orders\\$1:1, orders\\$1:2 \\(Error: the bank is closed\\), orders\\$1:3 \\(Error: unknown\\)';
    assert.match(logged()[0] ?? '', new RegExp(`3 of 3 messages of orders/billing failed: ${ids}`));
  });

  it('fails the invocation when the handler throws for the whole batch', async () => {
    const boom = new Error('boom');
    const handler = withMemphis(() => {
      throw boom;
    });
    await assert.rejects(handler(event, context), boom);
  });

  it('is answered message by message when all fails that fits its schema: what does not fit is not retried with it', async () => {
    const validate = (value: unknown) =>
      (value as { n: number }).n === 1 ? { issues: [{ message: 'is one' }] } : { value };
    const schema = standard({ '~standard': { version: 1, vendor: 'test', validate } });
    const handler = withMemphis(
      () => {
        throw new Error('boom');
      },
      { schema, ...exactly },
    );
    const { batchItemFailures } = (await handler(event, context)) as {
      batchItemFailures: { itemIdentifier: string; action?: string }[];
    };
    assert.deepEqual(
      batchItemFailures.map(({ itemIdentifier, action }) => [itemIdentifier, action ?? 'retry']),
      [
        ['orders$1:1', 'retry'],
        ['orders$1:2', 'deadLetter'],
        ['orders$1:3', 'retry'],
      ],
    );
  });

  it('is put back at the deadline where a validator never answers', async () => {
    const validate = (): Promise<never> => new Promise(() => {});
    const schema = standard({ '~standard': { version: 1, vendor: 'test', validate } });
    const handler = withMemphis(() => assert.fail('called'), { schema });
    const answered = (await handler(event, makeContext({ timeoutMs: 400 }))) as { batchItemFailures: unknown[] };
    assert.equal(answered.batchItemFailures.length, 3);
  });

  it('fails the invocation for an answer that names no message, and names what it named', async () => {
    const handler = withMemphis(() => ({ batchItemFailures: [{ itemIdentifier: 'orders$1:9' }] }));
    await assert.rejects(
      handler(event, context),
      (error) => isMemphisError(error, 'FUNCTION_FAILED') && error.message.includes('orders$1:9'),
    );
  });

  it('answers instead of failing when messages were settled before the handler threw, and logs the error', async () => {
    const handler = withMemphis(async ([first]) => {
      await first?.ack();
      throw new Error('boom');
    }, exactly);
    assert.deepEqual(await handler(event, context), {
      batchItemFailures: ['orders$1:2', 'orders$1:3'].map((itemIdentifier) => ({
        itemIdentifier,
        action: 'retry',
        delayMs: 0,
        reason: 'Error: boom',
      })),
    });
    assert.match(logged()[0] ?? '', /boom/);
  });

  it('logs an error thrown after everything was settled', async () => {
    const handler = withMemphis(async (messages) => {
      await Promise.all(messages.map((message) => message.ack()));
      throw new Error('too late');
    });
    assert.deepEqual(await handler(event, context), { batchItemFailures: [] });
    assert.match(logged()[0] ?? '', /too late/);
  });

  it('turns RetryLater and DeadLetter of a whole batch into items', async () => {
    const handler = withMemphis(() => {
      throw new RetryLater({ delayMs: 5 });
    });
    const answer = await handler(event, context);
    assert.ok('batchItemFailures' in answer && answer.batchItemFailures.length === 3);
  });

  it('gives all messages back unseen when no time is left', async () => {
    const handler = withMemphis(() => assert.fail('called'), { deadlineReserveMs: 1000 });
    const answer = await handler(event, makeContext({ timeoutMs: 900 }));
    assert.ok('batchItemFailures' in answer);
    assert.deepEqual(
      answer.batchItemFailures.map(({ action, unseen }) => [action, unseen]),
      [1, 2, 3].map(() => ['retry', true]),
    );
  });

  it('passes the context on', async () => {
    let seen: unknown;
    await withMemphis((_messages, given) => {
      seen = given;
    })(event, context);
    assert.equal(seen, context);
  });

  it('works without a context, as in a test by hand', async () => {
    const handler = withMemphis(() => {}) as (event: unknown) => Promise<unknown>;
    assert.deepEqual(await handler(event), { batchItemFailures: [] });
  });

  it('rejects a broken event', async () => {
    const handler = withMemphis(() => assert.fail('called'));
    await assert.rejects(handler({ eventSource: 'memphis', eventVersion: '9.0' }, context), (error) =>
      isMemphisError(error, 'INVALID_EVENT'),
    );
  });
});

describe('the options', () => {
  it('are checked where the function is wrapped', () => {
    assert.throws(
      () => withMemphis(() => {}, { batchsize: 5 } as object),
      (error) => isMemphisError(error, 'INVALID_OPTION') && /Did you mean batchSize/.test(error.message),
    );
    assert.throws(
      () => withMemphis(() => {}, { batchSize: 0 }),
      (error) => isMemphisError(error, 'INVALID_OPTION'),
    );
    assert.throws(
      () => withMemphis(undefined as never),
      (error) => isMemphisError(error, 'INVALID_OPTION'),
    );
  });

  it('come from the environment at the first invocation', async (t) => {
    const handler = withMemphis(() => {});
    process.env.MEMPHIS_BATCH_SIZE = 'many';
    t.after(() => {
      delete process.env.MEMPHIS_BATCH_SIZE;
    });
    await assert.rejects(
      handler(event, context),
      (error) => isMemphisError(error, 'INVALID_OPTION') && /MEMPHIS_BATCH_SIZE/.test(error.message),
    );
  });

  it('name station and group, and their variables, when pulling lacks them', async () => {
    for (const [options, name] of [
      [{}, /option station.*MEMPHIS_STATION/],
      [{ station: 'orders' }, /option group.*MEMPHIS_GROUP/],
    ] as const) {
      const handler = withMemphis(() => {}, { host: '127.0.0.1', ...options });
      await assert.rejects(
        handler({}, context),
        (error) => isMemphisError(error, 'INVALID_OPTION') && name.test(error.message),
      );
    }
  });

  it('may ask to dial early without ever rejecting at load', async () => {
    withMemphis(() => {}, { prefetch: true, servers: ['nats://127.0.0.1:1'], timeoutMs: 50 });
    withMemphis(() => {}, { prefetch: true }); // no broker named at all
    await new Promise((resolve) => setTimeout(resolve, 200)); // an unhandled rejection would fail this test
  });
});

it('is refused inside another wrapper: the messages that it was to handle would be acked unseen', async () => {
  const twice = withMemphis(withMemphis(() => {}) as never, { failWhenAllFail: false });
  await assert.rejects(twice(event, context), hasCode('INVALID_EVENT'));
});

it('says what is missing where each() stands alone', async () => {
  const alone = each(() => {}) as unknown as (event: unknown, context: unknown) => Promise<unknown>;
  await assert.rejects(alone(event, context), hasCode('INVALID_EVENT'));
});

it('is a handler of two parameters, as the runtime wants it', () => {
  assert.equal(withMemphis(() => {}).length, 2);
});
