/** The elements of a JSON array as they were written: parsing and writing them again would change large numbers. */

/**
 * Cuts the text of an array into the texts of its elements.
 *
 * @param text valid JSON (`JSON.parse` took it) whose value is an array
 */
export function splitJsonArray(text: string): string[] {
  const elements: string[] = [];
  let depth = 0;
  let isInString = false;
  let start = 0;
  const cut = (end: number): void => {
    const element = text.slice(start, end).trim();
    if (element !== '') elements.push(element); // only `[]` has an empty one
    start = end + 1;
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (isInString) {
      if (char === '\\') i++;
      else if (char === '"') isInString = false;
    } else if (char === '"') isInString = true;
    else if (char === '[' || char === '{') {
      if (depth === 0) start = i + 1;
      depth++;
    } else if (char === ']' || char === '}') {
      depth--;
      if (depth === 0) cut(i);
    } else if (char === ',' && depth === 1) cut(i);
  }
  return elements;
}
