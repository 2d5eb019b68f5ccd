/** What texts in operations of GraphQL say. */

/** @param written with its quotes @returns the same for those that say the same in the same kind of quotes; nothing for what is none */
export function keyOfString(written: string): string | undefined {
  if (written.startsWith('"""')) return `b${JSON.stringify(dedent(written.slice(3, -3).replaceAll('\\"""', '"""')))}`;
  let isSound = true;
  const said = written
    .slice(1, -1)
    .replace(/\\(?:u\{([\da-fA-F]{1,8})\}|u[\da-fA-F]{4}|["\\/bfnrt]|)/g, (all, code) => {
      const unit = Number.parseInt(code, 16);
      // half characters make one in two escapes of four digits, and no others
      if (all === '\\' || unit > 0x10_ff_ff || (unit >= 0xd800 && unit <= 0xdfff)) isSound = false;
      else return code === undefined ? JSON.parse(`"${all}"`) : String.fromCodePoint(unit);
      return '';
    });
  return isSound && said.isWellFormed() ? JSON.stringify(said) : undefined;
}

/** Without the indentation that all lines but the first have, and without blank lines around. */
function dedent(text: string): string {
  const lines = text.split(/\r\n|\n|\r/);
  const indents = lines.map((line) => line.search(/[^\t ]/));
  const isText = (indent: number): boolean => indent >= 0;
  let common = Number.POSITIVE_INFINITY;
  for (const indent of indents.slice(1)) if (isText(indent) && indent < common) common = indent;
  return lines
    .map((line, index) => (index === 0 ? line : line.slice(common)))
    .slice(indents.findIndex(isText), indents.findLastIndex(isText) + 1)
    .join('\n');
}
