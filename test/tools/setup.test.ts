/** When a checkout needs packages, which Node runs it, and which test files are chosen. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

interface Setup {
  isSupportedNode(version: string): boolean;
  whyInstall(top: string): string | undefined;
}
interface Chooser {
  chooseTests(top: string, which: string, args: readonly string[]): Promise<{ files: string[]; flags: string[] }>;
}
/** Tools are plain JavaScript without types: Node 18 has to read them. */
const load = (name: string): Promise<unknown> => import(new URL(`../../tools/${name}.mjs`, import.meta.url).href);
const { isSupportedNode, whyInstall } = (await load('setup')) as Setup;
const { chooseTests } = (await load('choose-tests')) as Chooser;

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'memphis-serverless-test-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function write(file: string, content: unknown): void {
  mkdirSync(join(top, file, '..'), { recursive: true });
  writeFileSync(join(top, file), JSON.stringify(content));
}
const lock = (packages: Record<string, object>) => write('package-lock.json', { packages: { '': {}, ...packages } });
const installed = (packages: Record<string, object>) => write('node_modules/.package-lock.json', { packages });

describe('whyInstall', () => {
  const a = { version: '1.0.0', integrity: 'sha512-a' };

  test('asks for packages in a fresh clone', () => {
    lock({ 'node_modules/a': a });
    assert.equal(whyInstall(top), 'there are none yet');
  });

  test('is content when npm has put there what the lockfile says', () => {
    lock({ 'node_modules/a': a, 'node_modules/own': { link: true, resolved: 'tools/own' }, 'tools/own': {} });
    installed({ 'node_modules/a': a, 'node_modules/own': { link: true } });
    assert.equal(whyInstall(top), undefined);
  });

  for (const [what, found] of [
    ['is missing', {}],
    ['has another version', { 'node_modules/a': { ...a, version: '1.0.1' } }],
    ['has other content', { 'node_modules/a': { ...a, integrity: 'sha512-b' } }],
  ] as const) {
    test(`asks for packages when one ${what}`, () => {
      lock({ 'node_modules/a': a });
      installed(found);
      assert.equal(whyInstall(top), 'package-lock.json has changed');
    });
  }

  test('does not ask for the optional programs of other platforms', () => {
    lock({ 'node_modules/a': { ...a, optional: true } });
    installed({});
    assert.equal(whyInstall(top), undefined);
  });
});

test('a Node is supported from 22.18 on', () => {
  const verdicts = ['v20.20.2', '22.17.9', '22.18.0', 'v24.0.0', '100.0.0'].map(isSupportedNode);
  assert.deepEqual(verdicts, [false, false, true, true, true]);
});

describe('chooseTests', () => {
  const parts = ['test/demo/b.test.ts', 'test/integration/a.test.ts', 'test/model/c.test.ts'];
  beforeEach(() => {
    for (const file of [...parts, 'test/support/d.ts', 'test/types/e.test-d.ts']) write(file, 0);
  });
  const choose = async (which: string, ...args: string[]) => (await chooseTests(top, which, args)).files;

  test('splits all test files into those of whole systems and the others', async () => {
    assert.deepEqual(await choose('all'), parts);
    assert.deepEqual(await choose('integration'), parts.slice(0, 2));
    assert.deepEqual(await choose('unit'), parts.slice(2));
  });

  test('takes paths and pieces of paths, and hands flags on to Node', async () => {
    assert.deepEqual(await choose('all', './test/model/c.test.ts'), parts.slice(2));
    assert.deepEqual(await choose('all', 'demo', 'integration/'), parts.slice(0, 2));
    assert.deepEqual(await chooseTests(top, 'all', ['--test-name-pattern=x', 'model']), {
      files: parts.slice(2),
      flags: ['--test-name-pattern=x'],
    });
    assert.deepEqual(await choose('all', 'nothing-like-it'), []);
  });
});

test('every npm script is a command of tools/run.mjs', async () => {
  const { commands } = (await load('commands')) as { commands: Record<string, unknown> };
  const manifest = fileURLToPath(new URL('../../package.json', import.meta.url));
  const { default: content } = (await import(manifest, { with: { type: 'json' } })) as {
    default: { scripts: Record<string, string> };
  };
  for (const [name, script] of Object.entries(content.scripts)) {
    assert.equal(script, `node tools/run.mjs ${name}`);
    assert.ok(name in commands, `${name} is no command`);
  }
});
