/** A program that puts back all dead letters of a station, to be killed while it does: says when a step is done. */

import { connect } from '../../src/index.ts';

const [url = '', station = ''] = process.argv.slice(2);
const memphis = await connect({ servers: [url] });
await memphis.deadLetters(station).redriveAll({ onProgress: (done) => console.log(done) });
await memphis.close();
