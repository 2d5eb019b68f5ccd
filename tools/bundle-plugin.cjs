/** Serverless Framework plugin of this repository: bundles handlers/<name>.ts into build/<name>.cjs with esbuild. */
'use strict';

const { mkdir, readFile, rename, writeFile } = require('node:fs/promises');
const path = require('node:path');

/** `build/consumer.handler` is made from `handlers/consumer.ts`. */
function toEntry(serviceDir, handler) {
  return path.join(serviceDir, 'handlers', `${path.basename(handler, path.extname(handler))}.ts`);
}

/** Replaces a file in one step and only when it differs: a running function may be loading it. */
async function replaceFile(file, contents) {
  const old = await readFile(file).catch(() => undefined);
  if (old?.equals(contents)) return;
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, contents);
  await rename(draft, file);
}

class BundlePlugin {
  constructor(serverless, _options, { log, progress } = {}) {
    this.serverless = serverless;
    this.log = log;
    this.progress = progress;
    this.done = undefined;
    const bundle = () => this.bundle();
    this.hooks = {
      'before:package:createDeploymentArtifacts': bundle,
      'before:package:function:package': bundle,
      'before:deploy:function:packageFunction': bundle,
      'before:invoke:local:invoke': bundle,
      // `offline` fires the first only, `offline start` the second as well.
      'before:offline:start': bundle,
      'before:offline:start:init': bundle,
    };
  }

  /** Bundles once per run, whichever hooks fire. */
  bundle() {
    this.done ??= this.#bundleAll();
    return this.done;
  }

  async #bundleAll() {
    const { build } = require('esbuild');
    const { serviceDir, service } = this.serverless;
    const handlers = service.getAllFunctions().map((name) => service.getFunction(name).handler);
    const { outputFiles, errors } = await build({
      absWorkingDir: serviceDir,
      entryPoints: handlers.map((handler) => toEntry(serviceDir, handler)),
      outdir: 'build',
      outExtension: { '.js': '.cjs' },
      write: false,
      bundle: true,
      platform: 'node',
      target: 'node22',
      // CommonJS: `invoke local` loads nothing else, and it needs no wrapper around the packages that call require().
      format: 'cjs',
      // Within this repository the toolkit is taken from its sources; elsewhere from the installed package.
      conditions: ['@memphis-serverless/source'],
      // Part of the Lambda runtime, and the largest thing that a bundle could hold.
      external: ['@aws-sdk/*', '@smithy/*'],
      legalComments: 'none',
      logLevel: 'silent',
    }).catch((error) => {
      const first = error.errors?.[0];
      const where = first?.location ? ` (${first.location.file}:${first.location.line})` : '';
      throw new Error(`Bundling the handlers failed: ${first?.text ?? error.message}${where}`);
    });
    if (errors.length > 0) throw new Error('Bundling the handlers failed.');
    await mkdir(path.join(serviceDir, 'build'), { recursive: true });
    await Promise.all(outputFiles.map((file) => replaceFile(file.path, Buffer.from(file.contents))));
    this.log?.info(`Bundled ${outputFiles.length} handlers into build/`);
  }
}

module.exports = BundlePlugin;
