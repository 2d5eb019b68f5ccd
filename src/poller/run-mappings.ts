/** All mappings of a run at once: opens what they share, and ends together what was begun. */

import type { Client } from '../client/client.ts';
import type { Session } from '../client/session.ts';
import { describeError, MemphisError } from '../model/errors.ts';
import { type Clock, realClock } from './clock.ts';
import { makeEncoding } from './encoding.ts';
import { invokeBatch } from './invoke-batch.ts';
import type { LambdaPort } from './lambda-client.ts';
import type { Mapping } from './mapping.ts';
import { orAborted } from './or-aborted.ts';
import { makeQuiet } from './quiet.ts';
import { type MappingReport, type PollReport, toErrorText } from './report.ts';
import { runMapping } from './run-mapping.ts';

/** A connected client, as `connect` returns it; only its session is used. */
export type ConnectedClient = Client;

/** Called with what keeps a mapping from working, or with an answer that could not be read. */
export type OnPollError = (error: unknown, about: { readonly mapping: string }) => void;

/** A run: what it works on, and when it ends. */
export interface PollRun {
  readonly mappings: readonly Mapping[];
  readonly session: Pick<Session, 'broker'>;
  readonly lambda: LambdaPort;
  /** Ends pulling. */
  readonly stop: AbortSignal;
  /** Ends waiting for answers. */
  readonly cut: AbortSignal;
  /** Milliseconds until `cut`, `Infinity` where nobody knows. */
  readonly workMs: number;
  /** When settling gives up; left out: whenever the driver does. */
  readonly settleLimit?: { readonly settleByMs?: number };
  readonly isPersistent: boolean;
  readonly idleExitMs: number | undefined;
  readonly onError: OnPollError;
  readonly clock?: Clock;
}

/** Runs enabled mappings until `stop`, the end of time or lasting quiet; resolves when nothing is under way. */
export async function runMappings(run: PollRun): Promise<PollReport> {
  const clock = run.clock ?? realClock;
  const own = new AbortController();
  const stop = AbortSignal.any([run.stop, run.cut, own.signal]);
  const mappings = run.mappings.filter(({ enabled }) => enabled);
  const names = mappings.map(({ name }) => name);
  const quiet = makeQuiet(names, run.idleExitMs, clock.now, () => own.abort());
  const deadlineAt = clock.now() + run.workMs;
  const reports = mappings.map(async (mapping): Promise<MappingReport> => {
    const encoding = makeEncoding(mapping);
    const setup = { mapping, lambda: run.lambda, clock, quiet, encoding, stop, cut: run.cut };
    const report = (error: unknown): void => tell(run.onError, error, { mapping: mapping.name });
    try {
      return await runMapping({
        ...setup,
        deadlineAt,
        settleLimit: run.settleLimit ?? {},
        isPersistent: run.isPersistent,
        envelopeBytes: encoding.envelopeBytes,
        limitBytes: encoding.limitBytes,
        sizeOf: encoding.sizeOf,
        broker: (deadlineMs) => orAborted(run.session.broker({ deadlineMs, isAccepted: true }), stop, stopped),
        invoke: (held, events) => invokeBatch(held, setup, events),
        report,
      });
    } finally {
      // A mapping that ended early can bring nothing more: the others need not wait for it.
      quiet.foundNothing(mapping.name, Number.POSITIVE_INFINITY);
    }
  });
  for (const report of reports) report.catch(() => own.abort());
  await Promise.allSettled(reports);
  return { mappings: await Promise.all(reports) };
}

function stopped(): MemphisError {
  return new MemphisError('CLOSED', 'The run was stopped while connecting.');
}

/** Somebody else's function may fail, at once or later: that must neither end the run nor the process. */
function tell(onError: OnPollError, error: unknown, about: { readonly mapping: string }): void {
  const call = async (): Promise<void> => onError(error, about);
  call().catch((thrown: unknown) => {
    reportToConsole(error, about);
    console.error(`memphis-serverless poller, mapping ${about.mapping}: onError failed: ${describeError(thrown)}`);
  });
}

/** Where errors go unless the caller says otherwise: a poller is a program, and its log is all that it has. */
export const reportToConsole: OnPollError = (error, { mapping }) => {
  console.error(`memphis-serverless poller, mapping ${mapping}: ${toErrorText(error)}`);
};
