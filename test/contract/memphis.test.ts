/**
 * The broker contract on a Memphis broker: on the stand-in, and on a real one where `MEMPHIS_TEST_URL` names it (its HTTP
 * API by `MEMPHIS_API_URL` where that is not on port 9000, a cluster by several with commas between, and `MEMPHIS_TEST_REPLICAS`).
 */

import { after, before, describe, test } from 'node:test';
import { brokerContract } from '../../src/testing/index.ts';
import { type StandIn, startStandIn } from '../support/memphis/stand-in.ts';
import { openMemphis } from '../support/memphis-subject.ts';

const { MEMPHIS_TEST_URL: url, MEMPHIS_API_URL: apiUrl, MEMPHIS_TEST_REPLICAS: replicas } = process.env;

describe('the stand-in for a Memphis broker', { concurrency: 12 }, () => {
  let standIn: StandIn;
  before(async () => {
    standIn = await startStandIn();
  });
  after(() => standIn[Symbol.asyncDispose]());

  for (const { name, run } of brokerContract) {
    test(name, async () => {
      await using subject = await openMemphis(standIn.url, standIn.apiUrl);
      await run(subject);
    });
  }
});

/** What the releases before 1.4.2 do otherwise: there groups are registered elsewhere, and 1.2 reads no message out of a notice. */
describe('the stand-in for Memphis 1.2.0, dead letters', { concurrency: 12 }, () => {
  let standIn: StandIn;
  before(async () => {
    standIn = await startStandIn({ version: '1.2.0' });
  });
  after(() => standIn[Symbol.asyncDispose]());

  for (const { name, run } of brokerContract.filter(({ name }) => /dead letter|put back|linked/.test(name))) {
    test(name, async () => {
      await using subject = await openMemphis(standIn.url, standIn.apiUrl);
      await run(subject);
    });
  }
});

if (url !== undefined) {
  describe('the Memphis broker of MEMPHIS_TEST_URL', { concurrency: 8 }, () => {
    for (const { name, run } of brokerContract) {
      test(name, async () => {
        await using subject = await openMemphis(url, apiUrl, Number(replicas ?? 1), true);
        await run(subject);
      });
    }
  });
}
