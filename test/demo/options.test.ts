/** The demo's command line. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDemoOptions } from '../../demo/options.ts';
import { UsageError } from '../../tools/command.ts';

describe('parseDemoOptions', () => {
  it('sends 200 messages without chaos unless told otherwise', () => {
    assert.deepEqual(
      { ...parseDemoOptions([]) },
      { messages: 200, chaos: false, broker: 'jetstream', json: false, help: false },
    );
    const given = parseDemoOptions(['--messages', '2000', '--chaos', '--json']);
    assert.deepEqual({ ...given }, { messages: 2000, chaos: true, broker: 'jetstream', json: true, help: false });
  });

  for (const args of [
    ['--mesages', '5'],
    ['extra'],
    ['--messages', '0'],
    ['--messages', '1e3'],
    ['--messages', ''],
    ['--broker', 'kafka'],
    ['--broker', 'memphis', '--chaos'],
  ]) {
    it(`refuses ${args.join(' ')}`, () => {
      assert.throws(() => parseDemoOptions(args), UsageError);
    });
  }
});
