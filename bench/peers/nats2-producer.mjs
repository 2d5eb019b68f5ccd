/** The producing function over the official client, version 2. */

import { connect } from 'nats';
import { produceAll } from '../functions/produce-all.ts';
import { connectOptions, settings } from './options.mjs';

const { subject } = settings();
let js;

export const handler = async (work) => {
  js ??= (await connect(connectOptions())).jetstream();
  await produceAll(work, (data, msgID) => js.publish(subject, data, msgID === undefined ? {} : { msgID }));
};
