/** Values and variables in operations of GraphQL, read against the types that are wanted there. */

import type { Reading } from './graphql-document.ts';
import { need, refuse, take, takeName, takeText, took } from './graphql-parse.ts';
import { note } from './graphql-problem.ts';
import { isName } from './graphql-scan.ts';
import { get, type Inputs, isList, isNonNull, itemOf, literals, nullable } from './graphql-table.ts';

/**
 * Arguments, or the fields of an object.
 *
 * @param wanted absent where nothing is known of them
 * @param owner what they are of, and where that stands
 * @param isOneOf exactly one is to be given
 * @returns each with its value; the same for those that say the same
 */
export function takeInputs(
  reading: Reading,
  open: '(' | '{',
  wanted: Inputs | undefined,
  owner: string,
  at: number,
  isOneOf = false,
): readonly string[] {
  const [what, close] = open === '(' ? ['argument', ')'] : ['field', '}'];
  const given = new Map<string, string>();
  const isGiven = took(reading, open);
  if (isGiven && open === '(' && reading.next === close) refuse(reading);
  while (isGiven && !took(reading, close)) {
    const place = reading.at;
    const name = takeName(reading);
    const input = get(wanted, name);
    if (given.has(name)) note(reading, `There can be only one ${what} of a name.`, place);
    if (wanted !== undefined && input === undefined) note(reading, `Unknown ${what} (name) of ${owner}.`, place);
    need(reading, ':');
    const hasDefault = input?.endsWith('=') === true;
    const type = hasDefault ? input.slice(0, -1) : input;
    given.set(name, `${name}:${takeValue(reading, type, hasDefault, isOneOf)}`);
  }
  for (const name in wanted) {
    // a default stands behind the mark, and takes it away
    if (!isNonNull(wanted[name] as string) || given.has(name)) continue;
    note(reading, `The ${what} "${name}" of ${owner} is required.`, at);
  }
  return [...given.values()].sort();
}

/**
 * @param type absent where nothing is known of it
 * @param written the type of the place; one value is a list of it as well
 * @returns the same for values that mean the same
 */
export function takeValue(
  reading: Reading,
  type: string | undefined,
  hasDefault = false,
  isOneOf = false,
  written = type,
): string {
  const at = reading.at;
  if (!reading.isConstant && took(reading, '$')) {
    const name = takeName(reading);
    reading.uses.push({ name, type, at, hasDefault, isOneOf });
    return `$${name}`;
  }
  const wanted = nullable(type ?? '');
  if (took(reading, 'null')) {
    if (wanted !== (type ?? '')) note(reading, `Null is no value of type "${type}".`, at);
    return 'null';
  }
  if (isList(wanted) && reading.next !== '[') return takeValue(reading, itemOf(wanted), hasDefault, isOneOf, written);
  const row = reading.table.types[wanted];
  if (row?.kind === 'input' && reading.next === '{') {
    // as the library has it: where the type is wrapped, it does not ask whether variables may be null
    const given = takeInputs(reading, '{', row.inputs, `"${wanted}"`, at, row.isOneOf && written === wanted);
    if (row.isOneOf && (given.length !== 1 || given[0]?.endsWith(':null'))) {
      note(reading, `Of "${wanted}" exactly one field must be given, and not be null.`, at);
    }
    return `{${given}}`;
  }
  const text = reading.next;
  const [key, kind] = takeLiteral(reading, isList(wanted) ? itemOf(wanted) : undefined);
  if (row?.kind === 'input') note(reading, `A value of type "${wanted}" must be an object.`, at);
  const isNoInt = wanted === 'Int' && Number(text) !== (Number(text) | 0);
  const isKnown = literals.includes(` ${wanted}:`);
  const isRight = row?.values?.includes(text) ?? (!isKnown || (literals.includes(` ${wanted}:${kind} `) && !isNoInt));
  if (!isRight) note(reading, `Expected a value of type "${wanted}".`, at);
  return key;
}

/** One that is no variable, and not null. Of what a scalar of one's own holds nothing is known. @param item the type of what a list holds */
function takeLiteral(reading: Reading, item: string | undefined): readonly [key: string, kind: string] {
  const text = reading.next;
  if (text === '{') {
    return [`{${takeInputs(reading, '{', undefined, '', 0)}}`, 'object'];
  }
  if (took(reading, '[')) {
    let key = text;
    while (!took(reading, ']')) key += `${takeValue(reading, item)},`;
    return [key, 'list'];
  }
  if (text.startsWith('"')) return [takeText(reading), 'string'];
  if ('!$&():=@]|}...\\'.includes(text)) refuse(reading);
  take(reading);
  if (!isName(text)) return [text, /[.Ee]/.test(text) ? 'float' : 'int'];
  return [text, text === 'true' || text === 'false' ? 'boolean' : 'enum'];
}
