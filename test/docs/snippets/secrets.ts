/** A secret store, as the snippets see it. */
import { readFile } from 'node:fs/promises';

export const readSecret = (name: string): Promise<string> => readFile(`secrets/${name}`, 'utf8');
