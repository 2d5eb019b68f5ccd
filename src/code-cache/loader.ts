/** The file that takes a bundle's place: it runs the bundle from V8's code cache, where the Node at hand made that cache. Pure. */

/** What Node puts around a CommonJS module. It stands in front of the code, on its first line. */
export const wrapper = ['(function (exports, require, module, __filename, __dirname) {', '\n})'] as const;

/** Names of the files that belong together, all in the bundle's folder. */
export interface CacheFiles {
  /** The bundle's name without its ending. */
  readonly stem: string;
  /** Of the bundle's content: a cache never meets the code of another build. */
  readonly hash: string;
}

const baseName = ({ stem, hash }: CacheFiles): string => `${stem}.code-${hash}`;
export const codeName = (files: CacheFiles): string => `${baseName(files)}.js`;
/** @param node as `process.version` has it, `v22.12.0` */
export const cacheName = (files: CacheFiles, node: string, arch: string): string =>
  `${baseName(files)}.${node}-${arch}.cache`;

const mark = '// memphis-serverless code-cache: ';

/** @returns which files a loader belongs to; nothing when the text is no loader */
export function readLoader(text: string): CacheFiles | undefined {
  if (!text.startsWith(mark)) return undefined;
  const [name = ''] = text.slice(mark.length).split('\n', 1);
  const [, stem, hash] = /^(.+)\.code-([0-9a-f]+)\.js$/.exec(name) ?? [];
  return stem === undefined || hash === undefined ? undefined : { stem, hash };
}

/**
 * Compiles the code, from the cache if possible: `script` is its end, and `reason` says why the cache was passed over, if it was.
 *
 * V8 compares its flags, too. Lambda's runtimes size the heap by flags, which changes no code: where all flags are such or Node's own, those
 * of this process are written into the cache (bytes 12 to 15). V8 still compares its own version, and the size of the source.
 * Node's list of flags takes a millisecond to make, so those that Lambda and its layers set are recognised without
 * (https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html). That list has a few of V8's in it.
 */
export function compiling(files: CacheFiles, isAscii: boolean): string {
  return `'use strict';
const { readFileSync } = require('node:fs');
const { Script, constants } = require('node:vm');
const base = \`\${__dirname}/\` + ${JSON.stringify(baseName(files))};
const filename = base + '.js';
const flags = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(' ')].filter((flag) => flag !== '');
const usual = /^[^-]|^-r$|^--(expose[-_]gc|require|import|enable-source-maps|no-experimental-(require|detect)-module|(max|min)[-_]\\w+[-_](\\w+[-_])?size)(=|$)/;
const ofV8 = /^-+(abort|disallow|enable[-_]etw|interpreted|jitless|perf)/;
const isHarmless = (flag) => usual.test(flag) || (!ofV8.test(flag) && process.allowedNodeEnvironmentFlags.has(flag));
const other = flags.length === 0 ? undefined : flags.find((flag) => !isHarmless(flag));
let cachedData;
let reason;
try {
  cachedData = readFileSync(\`\${base}.\${process.version}-\${process.arch}.cache\`);
  if (flags.length > 0 && other === undefined) new Script('').createCachedData().copy(cachedData, 12, 12, 16);
} catch {
  reason = 'there is none for this Node';
}
const script = new Script(readFileSync(filename, '${isAscii ? 'latin1' : 'utf8'}'), {
  filename,
  cachedData,
  columnOffset: -${wrapper[0].length},
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
if (script.cachedDataRejected) reason = other === undefined ? 'V8 refuses it' : \`of the flag \${other}\`;
`;
}

/**
 * The loader: it is required in the bundle's place, and exports what the bundle exports. Node reads source maps of what it loads itself
 * and looks them up by file names, so an empty module of the code's name brings the bundle's map along.
 */
export function writeLoader(files: CacheFiles, isAscii: boolean): string {
  return `${mark}${codeName(files)}
${compiling(files, isAscii)}if (reason !== undefined) {
  process.emitWarning(
    \`The code cache of \${filename} is passed over, since \${reason}: Node \${process.version}, \${process.arch}.\`,
    { code: 'MEMPHIS_CODE_CACHE', detail: 'All works, but starts slower. "memphis-serverless code-cache" with this Node makes one.' },
  );
}
if (process.sourceMapsEnabled && script.sourceMapURL !== undefined) {
  new module.constructor(filename)._compile?.(\`//# sourceMappingURL=\${script.sourceMapURL}\`, filename);
}
script.runInThisContext().call(exports, exports, require, module, __filename, __dirname);
`;
}
