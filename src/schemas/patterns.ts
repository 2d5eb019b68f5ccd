/** Regular expressions of schemas in linear time: no timer interrupts one of JavaScript's own. */

import { RE2JS } from 're2js';

/** Long names that JavaScript knows, and the ones that RE2 knows. */
const categories: Readonly<Record<string, string>> = {
  Letter: 'L',
  Lowercase_Letter: 'Ll',
  Uppercase_Letter: 'Lu',
  Titlecase_Letter: 'Lt',
  Modifier_Letter: 'Lm',
  Other_Letter: 'Lo',
  Mark: 'M',
  Number: 'N',
  Decimal_Number: 'Nd',
  digit: 'Nd',
  Punctuation: 'P',
  punct: 'P',
  Symbol: 'S',
  Separator: 'Z',
  Space_Separator: 'Zs',
  Other: 'C',
  Control: 'Cc',
  cntrl: 'Cc',
};

function toRe2(pattern: string): string {
  return pattern.replace(
    /\\([pP])\{(?:(?:General_Category|gc|Script|sc|Script_Extensions|scx)=)?(\w+)\}/g,
    (_, p, name) => {
      const known = Object.hasOwn(categories, name) ? categories[name] : name;
      return `\\${p}{${known}}`;
    },
  );
}

/** A pattern, anchored nowhere. @throws what RE2 does not have: looking around, back references */
export function linearPattern(pattern: string): { test(text: string): boolean; toString(): string } {
  const compiled = RE2JS.compile(RE2JS.translateRegExp(toRe2(pattern)));
  // its text is what tells it from others where it is kept
  return { test: (text) => compiled.test(text), toString: () => `/${pattern}/` };
}
