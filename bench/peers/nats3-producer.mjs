/** The producing function over the official client, version 3. */

import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { produceAll } from '../functions/produce-all.ts';
import { connectOptions, settings } from './options.mjs';

const { subject } = settings();
let js;

export const handler = async (work) => {
  js ??= jetstream(await connect(connectOptions()));
  await produceAll(work, (data, msgID) => js.publish(subject, data, msgID === undefined ? {} : { msgID }));
};
