/** Whether bytes are text. */

let check: ((data: Uint8Array) => boolean) | undefined;

/** Node's own check; its module is loaded at the first call, since few functions come here. */
export function isUtf8(data: Uint8Array): boolean {
  check ??= process.getBuiltinModule('node:buffer').isUtf8;
  return check(data);
}
