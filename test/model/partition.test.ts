import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMemphisError } from '../../src/model/errors.ts';
import { choosePartition, murmur3 } from '../../src/model/partition.ts';

// Keys, hashes and partitions as the Go and Python clients of Memphis compute them.
const vectors: readonly (readonly [key: string, hash: number, of2: number, of3: number, of5: number, of10: number])[] =
  [
    ['a', 3387765255, 2, 1, 1, 6],
    ['b', 279955767, 2, 1, 3, 8],
    ['key', 2580712894, 1, 2, 5, 5],
    ['hello', 168865661, 2, 3, 2, 2],
    ['user-1', 3441879530, 1, 3, 1, 1],
    ['user-2', 1858104965, 2, 3, 1, 6],
    ['ключ', 4127882257, 2, 2, 3, 8],
    [' ', 2084798690, 1, 3, 1, 1],
    ['0', 898200393, 2, 1, 4, 4],
    ['1', 3403422284, 1, 3, 5, 5],
    ['A', 2380115603, 2, 3, 4, 4],
    [`long-${'0'.repeat(99)}7`, 782711665, 2, 2, 1, 6],
    ['日本語', 787912674, 1, 1, 5, 5],
    ['😀', 3858440902, 1, 2, 3, 3],
    ['é', 3323909962, 1, 2, 3, 3],
    ['e\u0301', 873781218, 1, 1, 4, 9],
  ];

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test('a key goes to the partition that the Go and Python clients choose', () => {
  for (const [key, hash, of2, of3, of5, of10] of vectors) {
    assert.equal(murmur3(key), hash, key);
    const chosen = [2, 3, 5, 10].map((count) => choosePartition('s', upTo(count), { partitionKey: key }));
    assert.deepEqual(chosen, [of2, of3, of5, of10], key);
  }
  assert.equal(murmur3(''), 1257683291);
});

test('a message id decides where neither key nor number is given, so that a retry meets its first copy', () => {
  assert.equal(choosePartition('s', upTo(3), { msgId: 'key' }), 2);
  assert.equal(choosePartition('s', upTo(3), { msgId: 'key', partitionKey: 'a' }), 1);
  assert.equal(choosePartition('s', upTo(3), { msgId: 'key', partition: 3 }), 3);
});

test('with nothing given the caller takes turns, with one partition there is no choice', () => {
  assert.equal(choosePartition('s', upTo(3), {}), undefined);
  assert.equal(choosePartition('s', [1], {}), 1);
  assert.equal(choosePartition('s', [1], { partitionKey: 'a' }), 1);
});

test('key and number together, and a partition that is not there, are errors', () => {
  assert.throws(
    () => choosePartition('s', upTo(3), { partition: 1, partitionKey: 'a' }),
    (error) => isMemphisError(error, 'INVALID_OPTION'),
  );
  assert.throws(
    () => choosePartition('s', upTo(3), { partition: 4 }),
    (error) => isMemphisError(error, 'PARTITION_NOT_FOUND') && /1 to 3/.test(error.message),
  );
});
