import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitJsonArray } from '../../src/lambda/json-array.ts';

test('elements keep the text in which they were sent', () => {
  const text = ' [ 12345678901234567890 , {"a": [1, 2],"b":"],\\"[,"} ,"x,y", [], {} , null ] ';
  const elements = ['12345678901234567890', '{"a": [1, 2],"b":"],\\"[,"}', '"x,y"', '[]', '{}', 'null'];
  assert.deepEqual(splitJsonArray(text), elements);
  assert.deepEqual(splitJsonArray('[ ]'), []);
});

test('the texts of the elements are those of the array, for any array and any white space', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), (values, space) => {
      const elements = splitJsonArray(JSON.stringify(values, undefined, space));
      assert.deepEqual(
        elements.map((element) => JSON.parse(element)),
        JSON.parse(JSON.stringify(values)),
      );
    }),
  );
});
