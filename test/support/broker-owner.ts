/** A process that owns a frozen broker, tells about it in one line, and waits to be killed. */

import { startBroker } from '../../src/testing/start-broker.ts';

const broker = await startBroker({ binary: process.env.BINARY });
console.log(JSON.stringify({ pid: broker.pid, port: broker.port }));
broker.freeze();
setInterval(() => {}, 1_000);
