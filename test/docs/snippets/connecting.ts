import { connect } from 'memphis-serverless';
import { readSecret } from './secrets.ts';

const memphis = await connect({
  servers: process.env.NATS_URLS?.split(','), // tls://nats-1.example,tls://nats-2.example: the other nodes are learned
  creds: () => readSecret('nats/orders.creds'), // asked at each dial, so that a rotation needs no deployment
  tls: { ca: 'certificates/ca.pem' }, // a path or the text; only where no public authority has signed
});
console.log(await memphis.produce('orders', { id: 'a-1' }, { msgId: 'a-1' }));
await memphis.close();
