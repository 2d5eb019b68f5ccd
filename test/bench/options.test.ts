/** The command line of the benchmarks. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benches } from '../../bench/benches.ts';
import { parseBenchOptions, UsageError, usage } from '../../bench/options.ts';

test('without arguments everything is measured and written down', () => {
  const options = { only: Object.keys(benches), rounds: undefined, short: false, json: false, save: true, help: false };
  assert.deepEqual(parseBenchOptions([]), options);
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
  for (const word of [...Object.keys(benches), '--only', '--rounds', '--short', '--json', '--no-save', '--help']) {
    assert.ok(usage.includes(word), word);
  }
});
