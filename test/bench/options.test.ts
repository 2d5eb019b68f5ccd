/** The command line of the benchmarks. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benches, memphisBenches } from '../../bench/benches.ts';
import { parseBenchOptions, usage } from '../../bench/options.ts';
import { UsageError } from '../../tools/command.ts';

test('without arguments everything is measured and written down', () => {
  const usual = { broker: 'jetstream', rounds: undefined, short: false, json: false, save: true, help: false };
  assert.deepEqual(parseBenchOptions([]), { ...usual, only: Object.keys(benches) });
});

test('on a Memphis broker what is compared with memphis-dev is measured', () => {
  assert.deepEqual(parseBenchOptions(['--broker', 'memphis']).only, memphisBenches);
  assert.throws(() => parseBenchOptions(['--broker', 'memphis', '--only', 'warm']), /there is no warm/);
});

test('some can be chosen, with so many rounds', () => {
  const { only, rounds } = parseBenchOptions(['--only', 'warm,thaw', '--rounds', '3']);
  assert.deepEqual([only, rounds], [['warm', 'thaw'], 3]);
});

test('a short run writes nothing, since it is no measurement', () => {
  assert.equal(parseBenchOptions(['--short']).save, false);
});

test('a wrong command line is refused with a sentence', () => {
  for (const args of [
    ['--only', 'cold'],
    ['--broker', 'kafka'],
    ['--rounds', '0'],
    ['--rounds', '1.5'],
    ['--rounds', 'x'],
    ['--fast'],
    ['x'],
  ]) {
    assert.throws(() => parseBenchOptions(args), UsageError, args.join(' '));
  }
});

test('the help names every benchmark and every option', () => {
  for (const word of [
    ...Object.keys(benches),
    '--broker',
    '--only',
    '--rounds',
    '--short',
    '--json',
    '--no-save',
    '--help',
  ]) {
    assert.ok(usage.includes(word), word);
  }
});
