#!/usr/bin/env node
/** What `npx memphis-serverless` starts. */

import { main } from './main.ts';

const output = {
  data: (text: string): void => void process.stdout.write(text),
  talk: (text: string): void => void process.stderr.write(text),
};

void main(process.argv.slice(2), output).then((code) => {
  process.exitCode = code;
});
