/**
 * Loads a bundle and invokes its function again and again over its open connection:
 * `node warm.cjs <bundle> <event> <invocations that do not count> <invocations that count>`.
 */

import { type Handler, makeContext } from './context.ts';

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

async function main(): Promise<void> {
  const [, , file = '', event = '{}', warmUps, invocations] = process.argv;
  const { handler } = require(file) as { handler: Handler };
  const work = JSON.parse(event) as { readonly id?: string };
  const answers: unknown[] = [];
  const invoke = async (count: number, name: string): Promise<void> => {
    for (let done = 0; done < count; done++) {
      const own = work.id === undefined ? work : { ...work, id: `${work.id}.${process.pid}.${name}.${done}` };
      answers.push(await handler(own, makeContext(30_000)));
    }
  };
  await invoke(Number(warmUps), 'w');
  answers.length = 0;
  const cpu = process.cpuUsage();
  const start = nowMs();
  await invoke(Number(invocations), 'm');
  const ms = nowMs() - start;
  const { user, system } = process.cpuUsage(cpu);
  const sample = { ms: ms / answers.length, cpuUs: (user + system) / answers.length, answer: answers.at(-1) };
  process.stdout.write(JSON.stringify(sample), () => process.exit(0));
}

void main();
