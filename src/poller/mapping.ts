/** Mappings as data: what a user or `MEMPHIS_MAPPINGS` gives, checked and filled in. Pure. */

import { MemphisError } from '../model/errors.ts';
import { isList } from '../model/fields.ts';
import type { Given, Resolved } from '../model/option-spec.ts';
import { mappingOptions } from '../model/options/poller.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { resolveSource, type Source } from '../model/source.ts';
import { checkName } from '../model/station.ts';

/** One mapping as users write it: station (or stream), group and function name are needed, the rest has defaults. */
export interface MappingOptions extends Omit<Given<typeof mappingOptions>, 'group' | 'functionName'> {
  /** The group that the poller reads as; pollers of one group share the work. */
  readonly group: string;
  /** The function to invoke: name, `name:alias` or ARN. */
  readonly functionName: string;
}

/** A mapping with every value in place. */
export type Mapping = Omit<
  Resolved<typeof mappingOptions>,
  'name' | 'station' | 'stream' | 'filterSubject' | 'group' | 'functionName'
> &
  Source & {
    readonly name: string;
    readonly functionName: string;
  };

/** A function's name, alias and ARN as the Invoke API takes them (140 characters for names, 170 for ARNs). */
const functionNamePattern = /^[A-Za-z0-9_:$-]{1,200}$/;

/**
 * Checks a list of mappings and fills in the defaults.
 *
 * @param where what is being called, for the error text
 * @throws MemphisError `INVALID_OPTION`, `INVALID_NAME`
 */
export function resolveMappings(where: string, given: unknown): readonly Mapping[] {
  if (!isList(given) || given.length === 0) {
    throw new MemphisError('INVALID_OPTION', `${where}: mappings must be a list with at least one mapping.`, {
      option: 'mappings',
    });
  }
  // not by map, which passes over what is missing
  const mappings = Array.from(given, (item: unknown, index) => resolveMapping(`${where}: mapping ${index + 1}`, item));
  const names = new Set<string>();
  for (const { name } of mappings) {
    if (names.has(name)) {
      throw new MemphisError('INVALID_OPTION', `${where}: two mappings are named ${name}; give each its own name.`, {
        option: 'name',
      });
    }
    names.add(name);
  }
  return mappings;
}

/**
 * Reads the JSON text of `MEMPHIS_MAPPINGS`.
 *
 * @throws MemphisError `INVALID_OPTION`, `INVALID_NAME`
 */
export function parseMappings(json: string | undefined): readonly Mapping[] {
  if (json === undefined || json.trim() === '') {
    throw new MemphisError('INVALID_OPTION', 'pollerHandler: give mappings, or set MEMPHIS_MAPPINGS to a JSON list.', {
      option: 'mappings',
    });
  }
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch (cause) {
    throw new MemphisError('INVALID_OPTION', 'The environment variable MEMPHIS_MAPPINGS is not valid JSON.', {
      option: 'mappings',
      cause,
    });
  }
  return resolveMappings('MEMPHIS_MAPPINGS', given);
}

function resolveMapping(where: string, given: unknown): Mapping {
  if (typeof given !== 'object' || given === null) {
    throw new MemphisError('INVALID_OPTION', `${where} must be an object.`, { option: 'mappings' });
  }
  const options = resolveOptions(where, mappingOptions, given);
  const functionName = need(where, 'functionName', options.functionName);
  if (!functionNamePattern.test(functionName)) {
    throw new MemphisError(
      'INVALID_OPTION',
      `${where}: functionName must be a function's name, name:alias or ARN, at most 200 characters.`,
      { option: 'functionName' },
    );
  }
  const source = resolveSource(where, options);
  // A function name may hold what a mapping's name may not, so the default is made of the two others.
  const name = options.name === undefined ? `${source.station}-to-${source.group}` : checkName('mapping', options.name);
  const { stream: _stream, filterSubject: _filter, ...rest } = options;
  return { ...rest, ...source, name, functionName };
}

function need(where: string, option: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new MemphisError('INVALID_OPTION', `${where}: ${option} is missing.`, { option });
}
