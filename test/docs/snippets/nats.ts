import { connect as connectNats } from '@nats-io/transport-node';
import { connect } from 'memphis-serverless';
import { fromNats } from 'memphis-serverless/nats';

const nc = await connectNats({ servers: 'nats://127.0.0.1:4222' });
const memphis = await connect({ connection: fromNats(nc) });

await memphis.createStation('orders');
await memphis.produce('orders', { id: 1 });

await memphis.close(); // leaves the connection to its owner
await nc.close();
