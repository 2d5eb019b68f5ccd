/**
 * "./schemas/compiled-patterns": what precompiled JSON Schemas import whose patterns need an engine of their own.
 *
 * @module
 */

export { linearPattern } from './patterns.ts';
