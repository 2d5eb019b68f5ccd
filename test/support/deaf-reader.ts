/** A reader of a station with one message, over a connection that goes deaf when a test says so. */

import { readersOf } from '../../src/brokers/readers.ts';
import { connect } from '../../src/index.ts';
import type { Reader, ReaderOptions } from '../../src/model/broker.ts';
import { type DeafConnection, deafConnection } from './deaf-connection.ts';

export interface DeafReader extends AsyncDisposable {
  readonly deaf: DeafConnection;
  readonly reader: Reader;
}

/** @param port of the server; the station of the options is made there */
export async function openDeafReader(port: number, options: ReaderOptions): Promise<DeafReader> {
  const deaf = deafConnection(`127.0.0.1:${port}`);
  const memphis = await connect({ connection: deaf.connection });
  await memphis.createStation(options.station, { storageType: 'memory' });
  await memphis.produce(options.station, 'x');
  const reader = readersOf(await memphis.session.broker()).reader(options);
  return { deaf, reader, [Symbol.asyncDispose]: () => memphis.close() };
}

/** Takes the message, as often as that, and gives it back unseen. */
export async function giveBackUnseen(reader: Reader, times: number): Promise<void> {
  for (let done = 0; done < times; done++) {
    const batch = await reader.pull({ batchSize: 1, waitMs: 1_000 });
    for (const message of batch.messages) await batch.settle(message, { action: 'giveBack' });
  }
}
