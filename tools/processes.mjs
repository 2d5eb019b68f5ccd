/**
 * Runs child processes of which none outlives us: each leads a process group, which is killed as soon as its leader
 * has ended. Plain JavaScript for Node 18 and later, as all that runs before set-up is done.
 */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

const GRACE_MS = 10_000;
/** npm hands on a Ctrl-C that the terminal has given us already: this soon, it is the same one. */
const SAME_SIGNAL_MS = 1_000;

/** Makes the runner of one program; its owner calls `watchSignals` once. */
export function makeRunner() {
  const children = new Set();
  /** The signal that ends us, and when it came. */
  let ending;

  const killGroup = (child) => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // nobody is left in it
    }
  };

  /** Passes a signal on to each child and kills what is left of them after a while, or at the second signal. */
  const end = (signal) => {
    if (ending !== undefined && Date.now() - ending.since > SAME_SIGNAL_MS) {
      for (const child of children) killGroup(child);
    }
    if (ending !== undefined) return;
    ending = { signal, since: Date.now() };
    for (const child of children) child.kill(signal);
    setTimeout(() => {
      for (const child of children) killGroup(child);
    }, GRACE_MS).unref();
  };

  return {
    watchSignals() {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(signal));
      if (process.env.npm_lifecycle_event !== undefined) endWithParent(end);
      process.on('exit', () => {
        for (const child of children) killGroup(child);
      });
    },

    /** The exit code that a signal asks for, or nothing while there was none. */
    signalCode: () => (ending === undefined ? undefined : 128 + constants.signals[ending.signal]),

    /**
     * Runs a program to its end. It gets no input: whatever asks a question finds nobody.
     *
     * @returns exit code (127 when it cannot be started) and, with `capture`, what it wrote to its standard output
     */
    run(command, args, { env = process.env, capture = false } = {}) {
      if (ending !== undefined) return Promise.resolve({ code: 1, output: '' });
      return new Promise((resolve) => {
        // the fourth one is for the guard: it ends with us, whatever ends us
        const stdio = ['ignore', capture ? 'pipe' : 'inherit', 'inherit', 'pipe'];
        const child = spawn(...guarded(command, args), { env, stdio, detached: true });
        child.stdio[3]?.on('error', () => {});
        child.stdio[3]?.unref();
        children.add(child);
        let output = '';
        if (capture) {
          child.stdout.setEncoding('utf8');
          child.stdout.on('data', (text) => {
            output += text;
          });
        }
        const finish = (code) => {
          if (!children.delete(child)) return;
          resolve({ code, output });
        };
        child.on('error', (error) => {
          console.error(`${command} cannot be started: ${error.message}`);
          finish(127);
        });
        // the guard holds its end of the pipe, for which 'close' would wait
        child.on('exit', () => {
          killGroup(child);
          child.stdio[3]?.destroy();
        });
        child.on(capture ? 'close' : 'exit', (code, signal) => finish(code ?? 128 + constants.signals[signal]));
      });
    },
  };
}

/**
 * A command whose process group ends with us even when we are killed: a shell in the group waits for the end of its
 * input, which comes when we are gone. It is there before the command begins, so that no moment is left open.
 */
function guarded(command, args) {
  if (process.platform === 'win32') return [command, args];
  const guard = `(trap '' HUP INT TERM; read -r word <&3; kill -s KILL 0) >/dev/null 2>&1 & exec "$@" 3<&-`;
  return ['/bin/sh', ['-c', guard, 'sh', command, ...args]];
}

/**
 * npm stands behind a shell that starts us. A signal for npm may end the shell without telling us, and npm may be
 * killed without telling the shell: then one of the two gets a new parent.
 */
function endWithParent(end) {
  const shell = process.ppid;
  const npm = parentOf(shell);
  const look = () => {
    if (process.ppid !== shell || parentOf(shell) !== npm) end('SIGTERM');
  };
  setInterval(look, 500).unref();
}

/** The parent of another process, where the system tells (Linux). */
function parentOf(pid) {
  try {
    return /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
