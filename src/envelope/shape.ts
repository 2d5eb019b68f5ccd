/**
 * Checks of what stands in an event. Each failure names the place and the rule, never the value of a payload. The place is put
 * together only then: there are some for each of thousands of messages.
 */

import { MemphisError } from '../model/errors.ts';

/** @param index of the message that `where` is a field of; '' is the message @throws MemphisError `INVALID_EVENT` */
export function refuse(where: string, why: string, index?: number): never {
  const place = index === undefined ? where : `messages[${index}]${where && `.${where}`}`;
  throw new MemphisError('INVALID_EVENT', `The event is no batch of messages, version 1.0: ${place} ${why}.`);
}

/** What a value is, in words. */
export function nameType(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object';
  return `a ${typeof value}`;
}

export function asObject(where: string, value: unknown, index?: number): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  return refuse(where, `must be an object, it is ${nameType(value)}`, index);
}

export function asList(where: string, value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(where, `must be a list, it is ${nameType(value)}`);
}

/** A text that is not empty. */
export function asText(where: string, value: unknown, index?: number): string {
  if (value === '') refuse(where, 'must not be empty', index);
  return typeof value === 'string' ? value : refuse(where, `must be a text, it is ${nameType(value)}`, index);
}

export function asWhole(where: string, value: unknown, min: number, index?: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= min) return value as number;
  const found = typeof value === 'number' ? String(value) : nameType(value);
  return refuse(where, `must be a whole number from ${min} up, it is ${found}`, index);
}
