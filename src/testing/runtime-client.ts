/**
 * The stand-in for the native part of AWS's runtime client, `rapid-client.node`: what that does with curl, done with
 * `node:http`. So the rest of the client is the real one, and no compiler is needed.
 */

import type fs from 'node:fs';
import type http from 'node:http';

/** A handler in TypeScript: the client looks for JavaScript only. */
export interface TypeScriptSource {
  /** Where the client will look for it. */
  readonly soughtFile: string;
  /** Where it is. */
  readonly url: string;
}

/**
 * A module for Node's `--import` that puts the stand-in into a process, ahead of the runtime client. It is text, so
 * that no file has to be found from wherever this package was loaded, in whichever module format.
 */
export function runtimeClientModule(source: TypeScriptSource | undefined): string {
  const script = `import module from 'node:module'; import http from 'node:http'; import fs from 'node:fs';
    const __name = (f) => f; // bundlers may leave calls of it in the function
    (${playNativeClient.toString()})(module, http, fs, ${JSON.stringify(source)});`;
  return `data:text/javascript;base64,${Buffer.from(script).toString('base64')}`;
}

type Load = (this: unknown, request: string, ...rest: unknown[]) => unknown;

/** The undocumented half of `node:module`, and what older types lack. */
interface ModuleLoader {
  _load: Load;
  registerHooks?(hooks: {
    resolve(name: string, context: unknown, next: (name: string, context: unknown) => unknown): unknown;
  }): void;
}

/** Runs in the function's process, as text: it may use nothing but its parameters and globals. */
function playNativeClient(
  loader: ModuleLoader,
  { request, Agent }: typeof http,
  files: typeof fs,
  source: TypeScriptSource | undefined,
): void {
  interface Reply {
    readonly headers: http.IncomingHttpHeaders;
    readonly body: string;
  }
  const makeClient = () => {
    const [hostname, port] = String(process.env.AWS_LAMBDA_RUNTIME_API).split(':');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = (method: string, path: string, body = '', headers: Record<string, string> = {}): Promise<Reply> =>
      new Promise((resolve, reject) => {
        const options = { hostname, port, agent, method, path: `/2018-06-01/runtime/invocation/${path}`, headers };
        const sent = request(options, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve({ headers: response.headers, body: text })).on('error', reject);
        });
        sent.on('error', reject);
        sent.end(body);
      });
    // the native client holds the process until an answer is posted; here the next event waits for it
    let posted: Promise<unknown> = Promise.resolve();
    const post = (path: string, body: string, headers: Record<string, string> = {}): void => {
      posted = posted
        .then(() => send('POST', path, body, { 'Content-Type': 'application/json', ...headers }))
        .catch(() => {}); // as the native client, which does not look at the outcome
    };
    return {
      next: async () => {
        await posted;
        const { headers, body } = await send('GET', 'next');
        return { bodyJson: body, headers };
      },
      done: (id: string, body: string) => post(`${id}/response`, body),
      error: (id: string, body: string) =>
        post(`${id}/error`, body, { 'Lambda-Runtime-Function-Error-Type': String(JSON.parse(body).errorType) }),
    };
  };

  const load = loader._load;
  let client: ReturnType<typeof makeClient> | undefined;
  loader._load = function (name, ...rest) {
    if (!name.endsWith('rapid-client.node')) return load.call(this, name, ...rest);
    client ??= makeClient();
    return client;
  };

  if (source === undefined) return;
  const { existsSync } = files;
  files.existsSync = (path) => {
    if (path !== source.soughtFile) return existsSync(path);
    files.existsSync = existsSync;
    return true;
  };
  loader.registerHooks?.({
    resolve: (name, context, next) => next(name === source.soughtFile ? source.url : name, context),
  });
}
