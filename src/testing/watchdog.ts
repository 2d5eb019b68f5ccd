/** Ends what this process started when it cannot do so itself any more: killed, crashed, its machine's test runner gone. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Ends processes whose owner could not: see {@link startWatchdog}. */
export interface Watchdog {
  /** From now on it looks after this process, or (below 0) after this process group; nothing: after none. */
  watch(pid: number | undefined): void;
  /** Its work is done; resolves when it has ended. */
  dismiss(): Promise<void>;
}

/**
 * A shell that waits for the end of its input. When this process ends without a word (even by SIGKILL), the
 * input ends, and the shell kills what it was told of and removes the folder.
 *
 * @param folder absent: nothing is removed
 */
export function startWatchdog(folder?: string): Watchdog {
  const script = `trap '' HUP INT TERM
    while read -r line; do [ "$line" = done ] && exit 0; pid=$line; done
    [ "\${pid:-none}" = none ] || { kill -s KILL -- "$pid"; sleep 0.2; }
    [ -z "$1" ] || rm -rf -- "$1"`;
  const shell = spawn('/bin/sh', ['-c', script, 'sh', folder ?? ''], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const gone = Promise.race([once(shell, 'exit'), once(shell, 'error')]).catch(() => {});
  shell.on('error', () => {}); // no shell, no watchdog
  shell.stdin.on('error', () => {});
  shell.unref();
  (shell.stdin as unknown as { unref?(): void }).unref?.();
  return {
    watch: (pid) => void shell.stdin.write(`${pid ?? 'none'}\n`),
    async dismiss() {
      if (shell.exitCode !== null || shell.signalCode !== null || shell.pid === undefined) return;
      shell.ref();
      shell.stdin.end('done\n');
      await gone;
    },
  };
}
