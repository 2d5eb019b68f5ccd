/** A function with a case for each thing that can happen to an invocation. */

interface Event {
  readonly do?: string;
  readonly bytes?: number;
  readonly ms?: number;
}
interface Context {
  readonly awsRequestId: string;
  readonly functionName: string;
  readonly memoryLimitInMB: string;
  readonly clientContext?: unknown;
  getRemainingTimeInMillis(): number;
}

let invocations = 0;
let ticks = 0;
console.log('loaded');

export const handler = async (event: Event | null, context: Context): Promise<unknown> => {
  invocations++;
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  switch (event?.do) {
    case 'throw':
      throw new TypeError('no such thing');
    case 'exit':
      process.exit(7);
      break;
    case 'leave':
      process.exit(0);
      break;
    case 'hang':
      return new Promise(() => setInterval(() => {}, 1000));
    case 'large':
      return 'x'.repeat(event.bytes ?? 0);
    case 'tick':
      setInterval(() => ticks++, 10);
      break;
    case 'work':
      for (let step = 0; step < 10; step++) {
        console.log(`step ${step}`);
        await wait((event.ms ?? 0) / 10);
      }
      break;
    case 'reject':
      void Promise.reject(new Error('nobody listens'));
      await wait(100);
      break;
    case 'context':
      return { ...context, remainingMs: context.getRemainingTimeInMillis() };
    case 'environment':
      return { env: process.env, cwd: process.cwd(), flags: process.execArgv.slice(0, 2) };
    case 'write':
      process.stderr.write('to stderr\n');
      console.error('an error');
      break;
    case 'sigterm':
      process.once('SIGTERM', () => {
        console.log('said goodbye');
        process.exit(0);
      });
      break;
    case 'clean-up-forever':
      process.on('SIGTERM', () => console.log('not yet'));
      break;
    case 'child': {
      const { spawn } = await import('node:child_process');
      return spawn('sleep', ['60'], { stdio: 'ignore' }).pid;
    }
    case 'nothing':
      return undefined;
  }
  return { invocations, ticks };
};
