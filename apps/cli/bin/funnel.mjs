#!/usr/bin/env node
/** `npx funnel …` in a clone: sources run as they are, through tsx. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Loads the program and runs it on these arguments in this process. */
export const runFunnel = async (args) => {
  const { register } = await import('tsx/esm/api');
  register();
  const { main } = await import('../src/main.ts');
  await main(args);
};

// npm links this file from node_modules/.bin.
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await runFunnel(process.argv.slice(2));
