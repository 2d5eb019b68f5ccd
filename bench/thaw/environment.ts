/** A function in a process of its own, that is frozen and thawed like an environment of Lambda. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { suspend } from '../../src/testing/suspend.ts';
import type { Answer, Order } from '../hosts/thaw.ts';

export class FrozenFunction {
  readonly #child: ChildProcess;
  #errors = '';

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
  }

  /** @throws Error when the process ended, with what it said */
  async invoke(order: Order): Promise<Answer> {
    const ended = once(this.#child, 'exit').then(([code, signal]) => {
      throw new Error(`A measured process ended (${signal ?? code}): ${this.#errors.trim()}`);
    });
    ended.catch(() => {});
    this.#child.send(order);
    const [answer] = await Promise.race([once(this.#child, 'message'), ended]);
    return answer as Answer;
  }

  freeze(): void {
    if (this.#child.pid !== undefined) suspend(this.#child.pid);
  }

  /** The next invocation comes with the thaw, as in Lambda. */
  thawWith(order: Order): Promise<Answer> {
    this.#child.kill('SIGCONT');
    return this.invoke(order);
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}
