/** JSON Schema -> the code of its validators, without ajv. */

import type { Ajv } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { parseJson } from '../model/message.ts';
import { inCode, setUp, withoutDialect } from './json-dialects.ts';
import { linearPattern } from './patterns.ts';

/** Functions that the code calls, by what ajv writes for them. */
const functions: readonly (readonly [written: string, instead: string])[] = [
  ['require("ajv/dist/runtime/ucs2length").default', 'lengthOf'],
  ['require("ajv/dist/runtime/equal").default', 'isEqual'],
  [`= ${inCode.allUnique};`, '= allUnique;'],
  [`= ${inCode.step};`, '= step;'],
];

/** @returns an expression that evaluates to the validator, and the names that it uses of `./json-helpers.ts` */
function validatorOf(
  schema: unknown,
  allErrors: boolean,
): { readonly code: string; readonly uses: ReadonlySet<string> } {
  const ajv = setUp(schema, { allErrors, code: { source: true } }) as Ajv;
  const standalone =
    (standaloneCode as unknown as { readonly default?: typeof standaloneCode }).default ?? standaloneCode;
  const written = (standalone as unknown as (ajv: Ajv, validate: unknown) => string)(
    ajv,
    ajv.compile(withoutDialect(schema)),
  );
  const uses = new Set<string>();
  let code = written.replace(/^"use strict";module\.exports = (\w+);module\.exports\.default = \1;/, '');
  const [, root = ''] = /^"use strict";module\.exports = (\w+);/.exec(written) ?? [];
  for (const [text, instead] of functions) {
    if (!code.includes(text)) continue;
    uses.add(instead.replace(/\W/g, ''));
    code = code.replaceAll(text, instead);
  }
  code = withPatterns(code, uses);
  // in texts of the schema a quotation mark has a sign before it
  if (root === '' || /\brequire\("|= MEMPHIS_\w+;/.test(code))
    throw new Error('it uses something that cannot be precompiled');
  return { code: `(() => {${code}\nreturn ${root};})()`, uses };
}

/** `const func2 = MEMPHIS_PATTERN` and its calls -> one expression for each pattern. */
function withPatterns(code: string, uses: Set<string>): string {
  const [, name] = new RegExp(`const (func\\d+) = ${inCode.pattern};`).exec(code) ?? [];
  if (name === undefined) return code;
  return code
    .replace(`const ${name} = ${inCode.pattern};`, '')
    .replace(new RegExp(`\\b${name}\\(("(?:[^"\\\\]|\\\\.)*"), ?"u?"\\)`, 'g'), (_, text: string) => {
      const pattern = JSON.parse(text) as string;
      linearPattern(pattern); // what it does not take is refused here as well
      if (isSimple(pattern)) return `new RegExp(${text}, "u")`;
      uses.add('linearPattern');
      return `linearPattern(${text})`;
    });
}

/** So many ways through a pattern's bounded repetitions are tried for each character, at most. */
const MAX_WAYS = 100;

/**
 * Whether JavaScript's own engine takes linear time for a pattern and means the same: anchored, without groups and
 * alternatives, at most one repetition without an end, nothing of which the two engines have their own ideas.
 */
export function isSimple(pattern: string): boolean {
  if (!pattern.startsWith('^')) return false;
  try {
    new RegExp(pattern, 'u');
  } catch {
    return false;
  }
  const body = pattern.slice(1).replace(/\$$/, '');
  const atoms = body.replace(/\[\^?(?:\\[dw.\-\]\\/]|[^\\[\]])+\]|\\[dwDW.\-+*?()[\]{}^$|/\\]/g, 'a');
  if (/[().|[\]\\^$]/.test(atoms) || /[*+?}][*+?{]/.test(atoms)) return false;
  const endless = atoms.match(/[*+]|\{\d+,\}/g) ?? [];
  const bounded = [...atoms.matchAll(/\{(\d+),(\d+)\}/g)].map(([, min, max]) => Number(max) - Number(min) + 1);
  const optional = atoms.match(/\?/g) ?? [];
  const ways = [...bounded, ...optional.map(() => 2)].reduce((product, one) => product * one, 1);
  return endless.length <= 1 && ways <= MAX_WAYS;
}

/** @param how names what the module imports @returns the module behind its first lines */
export function compileJson(
  name: string,
  source: string,
  how: 'reads' | 'compiled',
): { readonly imports: string; readonly value: string } {
  const schema = parseJson(source, 'Its text');
  const first = validatorOf(schema, false);
  const all = validatorOf(schema, true);
  const uses = [...new Set([...first.uses, ...all.uses])].sort();
  const own = [`${how}Json`, ...uses.filter((one) => one !== 'linearPattern')].sort();
  const patterns = uses.includes('linearPattern')
    ? "import { linearPattern } from 'memphis-serverless/schemas/compiled-patterns';\n"
    : '';
  return {
    imports: `import { ${own.join(', ')} } from 'memphis-serverless/schemas/${how}-json';\n${patterns}`,
    value: `${how}Json(${name}, ${first.code}, () => ${all.code})`,
  };
}
