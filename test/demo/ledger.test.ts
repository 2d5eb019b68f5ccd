/** The demo's accounts: every way in which they can fail to add up is noticed. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { account, type StationFacts, toTable } from '../../demo/ledger.ts';

const done = (id: string, attempt = 1) => ({ work: 'charge', id, attempt, how: 'done' }) as const;

/** Three sent: one billed, one dead-lettered, one refused. */
const good: StationFacts = {
  station: 'orders',
  attempted: new Set(['a', 'b', 'c']),
  stored: new Set(['a', 'b']),
  refused: new Set(['c']),
  failed: new Map(),
  storedIds: ['a', 'b'],
  deadLetterIds: ['b'],
  isThrough: true,
  journal: [done('a'), { work: 'charge', id: 'b', attempt: 1, how: 'stolen' }],
};

describe('account', () => {
  it('adds up when each id is acked, dead-lettered or refused', () => {
    const { account: line, problems } = account(good);
    assert.deepEqual(problems, []);
    assert.deepEqual(line, {
      station: 'orders',
      sent: 3,
      acked: 1,
      deadLettered: 1,
      refused: 1,
      retried: 0,
      workedTwice: 0,
      addsUp: true,
    });
  });

  it('counts retries and work done twice without a complaint, as at least once allows them', () => {
    const { account: line, problems } = account({ ...good, journal: [done('a'), done('a', 2)] });
    assert.deepEqual(problems, []);
    assert.equal(line.retried, 1);
    assert.equal(line.workedTwice, 1);
  });

  const broken: [what: string, change: Partial<StationFacts>, ids: string[]][] = [
    ['answered as stored, and not in the station', { storedIds: ['b'] }, ['a']],
    ['refused, and yet in the station', { storedIds: ['a', 'b', 'c'] }, ['c']],
    ['in the station, and never sent', { attempted: new Set(['a', 'c']) }, ['b']],
    ['stored twice', { storedIds: ['a', 'b', 'a'] }, ['a']],
    ['dead-lettered twice', { deadLetterIds: ['b', 'b'] }, ['b']],
    ['dead-lettered, and not in the station', { deadLetterIds: ['b', 'x'] }, ['x']],
    ['settled, and neither worked off nor dead-lettered', { journal: [] }, ['a']],
    ['not settled in time', { isThrough: false, journal: [] }, ['a']],
    ['not stored, and no answer that says why', { failed: new Map([['d', '500']]) }, ['d']],
    ['not accounted for', { attempted: new Set(['a', 'b', 'c', 'd']) }, ['d']],
  ];
  for (const [what, change, ids] of broken) {
    it(`names what is ${what}`, () => {
      const { account: line, problems } = account({ ...good, ...change });
      assert.deepEqual(problems.find((problem) => problem.what === what)?.ids, ids);
      assert.equal(line.addsUp, false);
    });
  }
});

describe('toTable', () => {
  it('shows each station and the sums', () => {
    const { account: line } = account(good);
    const rows = toTable([line, { ...line, station: 'invoices', addsUp: false }]).split('\n');
    assert.match(rows[2] ?? '', /^orders +3 +1 +1 +1 +0 +0 +yes$/);
    assert.match(rows.at(-1) ?? '', /^together +6 +2 +2 +2 +0 +0 +NO$/);
  });
});
