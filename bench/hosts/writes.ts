/**
 * Loads a bundle, invokes its function twice, and prints how often each invocation wrote to a socket, and which of Node's own
 * modules that loaded: `node writes.cjs <bundle>`. What a stream gathers meanwhile, since a write is under way, counts once, as the system sees it.
 */

import { Socket } from 'node:net';
import { type Handler, makeContext } from './context.ts';

let writes = 0;

/** What Node calls for each write to the system; while a socket is being connected, it is called again later. */
type Write = (this: Socket, isMany: boolean, data: unknown, encoding: unknown, callback: unknown) => void;
const inner = Socket.prototype as unknown as { _writeGeneric: Write };
const write = inner._writeGeneric;
inner._writeGeneric = function (isMany, data, encoding, callback) {
  if (!this.connecting) writes++;
  write.call(this, isMany, data, encoding, callback);
};

/** Node's own modules that are loaded by now, its inner ones too. */
const loaded = (): string[] =>
  (process as unknown as { readonly moduleLoadList: readonly string[] }).moduleLoadList.flatMap(
    (entry) => /^NativeModule (.*)/.exec(entry)?.[1] ?? [],
  );

async function main(): Promise<void> {
  const before = new Set(loaded());
  const { handler } = require(process.argv[2] ?? '') as { handler: Handler };
  const answers: unknown[] = [];
  const counts: number[] = [];
  for (let invocation = 0; invocation < 2; invocation++) {
    writes = 0;
    answers.push(await handler({}, makeContext(30_000)));
    counts.push(writes);
  }
  const modules = loaded().filter((name) => !before.has(name));
  process.stdout.write(JSON.stringify({ answers, counts, modules }), () => process.exit(0));
}

void main();
