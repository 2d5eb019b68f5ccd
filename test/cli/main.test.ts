/** The command itself: its version, and words for those who call it wrongly. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
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
