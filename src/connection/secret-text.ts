/** Secrets and certificates as options give them: text, a path to a file with the text, or a function. Shows none of it. */

import { MemphisError } from '../model/errors.ts';
import type { Secret } from '../model/options/connect.ts';
import { refuse } from './refuse.ts';
import { within } from './within.ts';

/**
 * What an option holds, or what its function returns in time.
 *
 * @param givenUp resolves when nobody waits for it any more
 * @throws MemphisError `CONNECT_FAILED` when the function fails or is late, its words only as cause; `INVALID_OPTION` when it returns no text
 */
export async function askSecret(
  option: string,
  secret: Secret | undefined,
  timeoutMs: number,
  givenUp?: Promise<undefined>,
): Promise<string | undefined> {
  if (typeof secret !== 'function') return secret;
  const fail = (cause?: unknown): never => {
    const words = `Could not connect: the function given as ${option} failed or took too long; see the cause.`;
    throw new MemphisError('CONNECT_FAILED', words, { cause, option });
  };
  const asked = Promise.resolve()
    .then(secret)
    .then((answer: unknown) => [answer], fail);
  const first = givenUp === undefined ? asked : Promise.race([asked, givenUp]);
  const [answer] = (await within(first, timeoutMs)) ?? fail(new Error(`no answer within ${Math.round(timeoutMs)} ms`));
  if (typeof answer === 'string' && answer !== '') return answer;
  return refuse(option, `${option}: the function given returned no text`);
}

/**
 * The text itself, or that of the file it names. Where an environment variable cannot hold line breaks, `\n` may stand
 * for them.
 *
 * @param isText tells a text from a path
 * @throws MemphisError `INVALID_OPTION` when there is no such file
 */
export async function textOrFile(
  option: string,
  given: string,
  isText: (text: string) => boolean,
  field: string = option,
): Promise<string> {
  if (isText(given)) return withLineBreaks(given);
  try {
    return withLineBreaks(await process.getBuiltinModule('node:fs/promises').readFile(given.trim(), 'utf8'));
  } catch (error) {
    // the value may be a secret that was cut off: it is neither shown nor kept as a cause, which names the path
    const { code = 'unknown reason' } = error as { readonly code?: string };
    return refuse(option, `${field}: it is neither such a text nor a file that can be read (${code})`);
  }
}

/** What stands on one line in an environment variable. */
export function withLineBreaks(text: string): string {
  return text.includes('\n') ? text : text.replaceAll('\\n', '\n');
}
