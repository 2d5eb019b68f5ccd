/** The command itself: its version, and words for those who call it wrongly. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { withMemphis } from '../../src/lambda/index.ts';
import { makeContext } from '../../src/testing/make-context.ts';
import { run } from '../support/command.ts';

test('--version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  assert.deepEqual(await run('--version'), { code: 0, data: `${version}\n`, talk: '' });
});

test('help goes to stdout, also where nothing was asked for, which is no success', async () => {
  const asked = await run('--help');
  assert.match(asked.data, /^Usage: memphis-serverless <command>/);
  assert.deepEqual({ ...asked, code: 2 }, await run());
  for (const command of [['code-cache'], ['schema', 'compile']]) {
    const { code, data } = await run(...command, '--help');
    assert.equal(code, 0);
    assert.ok(data.includes(`memphis-serverless ${command.join(' ')} `), data);
  }
});

test('a Node that is too old is told of in words', async (t) => {
  const { withResolvers } = Promise;
  t.after(() => Object.assign(Promise, { withResolvers }));
  Object.assign(Promise, { withResolvers: undefined }); // as before Node 22
  const { code, talk } = await run('schema', 'compile', 'x.json');
  assert.deepEqual(
    [code, talk],
    [1, `UNSUPPORTED: memphis-serverless needs Node 22.12 or later; this is ${process.version}.\n`],
  );
  await assert.rejects(connect({ servers: ['127.0.0.1:1'] }), { code: 'UNSUPPORTED', message: /needs Node 22\.12/ });
  const handler = withMemphis(async () => {}, { servers: ['127.0.0.1:1'], station: 'orders', group: 'g' });
  await assert.rejects(handler({}, makeContext()), { code: 'UNSUPPORTED' });
});

for (const [words, expected] of [
  ['code-cach x.js', /^There is no command code-cach\. Did you mean code-cache\?\nmemphis-serverless --help /],
  ['schema compil x.json', /^There is no command schema compil\. Did you mean schema compile\?\n/],
  ['schema', /^There is no command schema\. Did you mean schema compile\?\n/],
  ['code-cache', /^code-cache: which bundle\?\nmemphis-serverless code-cache --help /],
  ['code-cache --nod x', /^There is no option --nod\. Did you mean --node\?\nmemphis-serverless code-cache --help /],
  ['schema compile -o x', /^There is no option -o\.\nmemphis-serverless schema compile --help /],
] as const) {
  test(`\`${words}\` is a wrong call, and its text helps`, async () => {
    const { code, data, talk } = await run(...words.split(' '));
    assert.deepEqual([code, data], [2, '']);
    assert.match(talk, expected);
  });
}
