/** The broker contract on a Memphis broker: on a real one where `MEMPHIS_TEST_URL` names it. */

import { describe, test } from 'node:test';
import { brokerContract } from '../../src/testing/index.ts';
import { openMemphis } from '../support/memphis-subject.ts';

const url = process.env.MEMPHIS_TEST_URL;

describe('the Memphis broker of MEMPHIS_TEST_URL', {
  skip: url === undefined && 'it is not set',
  concurrency: 8,
}, () => {
  for (const { name, run } of brokerContract) {
    test(name, async () => {
      await using subject = await openMemphis(url as string, process.env.MEMPHIS_API_URL);
      await run(subject);
    });
  }
});
