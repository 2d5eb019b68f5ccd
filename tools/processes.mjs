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
        const stdio = ['ignore', capture ? 'pipe' : 'inherit', 'inherit'];
        const child = spawn(command, args, { env, stdio, detached: true });
        children.add(child);
        const dismiss = watch(child);
        let output = '';
        if (capture) {
          child.stdout.setEncoding('utf8');
          child.stdout.on('data', (text) => {
            output += text;
          });
        }
        const finish = (code) => {
          if (!children.delete(child)) return;
          if (child.pid !== undefined) killGroup(child);
          dismiss();
          resolve({ code, output });
        };
        child.on('error', (error) => {
          console.error(`${command} cannot be started: ${error.message}`);
          finish(127);
        });
        child.on(capture ? 'close' : 'exit', (code, signal) => finish(code ?? 128 + constants.signals[signal]));
      });
    },
  };
}

/**
 * Sees to it that a child's group ends with us even when we are killed: a shell waits for a word from us, and kills
 * the group when there is none to come.
 *
 * @returns a function that says the word
 */
function watch(child) {
  if (child.pid === undefined) return () => {};
  const script = `trap '' HUP INT TERM; read -r word || kill -s KILL -- "-$1"`;
  const stdio = ['pipe', 'ignore', 'ignore'];
  const shell = spawn('/bin/sh', ['-c', script, 'sh', String(child.pid)], { stdio, detached: true });
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  shell.unref();
  shell.stdin.unref();
  return () => shell.stdin.end('done\n');
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
