/** A share of one processor, as functions with little memory have: a control group of the system, where we may make one. */

import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface Quota extends Disposable {
  /** Put in front of a command, it starts that command inside. */
  readonly wrapper: readonly string[];
}

const PERIOD_US = 20_000;
const enter = (folder: string): string[] => ['/bin/sh', '-c', `echo $$ > '${folder}/cgroup.procs' && exec "$@"`, 'sh'];

/** Version 2 has one tree for all controllers, version 1 one for each. */
const trees: readonly { readonly top: string; readonly limits: (share: number) => Readonly<Record<string, string>> }[] =
  [
    {
      top: '/sys/fs/cgroup/cpu',
      limits: (share) => ({
        'cpu.cfs_period_us': String(PERIOD_US),
        'cpu.cfs_quota_us': String(Math.round(PERIOD_US * share)),
      }),
    },
    { top: '/sys/fs/cgroup', limits: (share) => ({ 'cpu.max': `${Math.round(PERIOD_US * share)} ${PERIOD_US}` }) },
  ];

function remove(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // somebody in it is just ending; left behind it limits nobody
  }
}

/**
 * @param share of one processor, above 0
 * @returns nothing where the machine does not allow it
 */
export function makeQuota(share: number): Quota | undefined {
  for (const { top, limits } of trees) {
    const folder = path.join(top, `memphis-serverless-bench-${process.pid}-${Math.round(share * 100)}`);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    try {
      for (const [file, text] of Object.entries(limits(share)))
        writeFileSync(path.join(folder, file), text, { flag: 'r+' });
      return { wrapper: enter(folder), [Symbol.dispose]: () => remove(folder) };
    } catch {
      rmdirSync(folder);
    }
  }
  return undefined;
}
