/**
 * The command lines of scripts. `--help` prints the usage and ends with 0. An option that the script does not know ends it with 2 and a
 * sentence, before it does anything.
 */
import { parseArgs } from 'node:util';

/** Ends the process with the fault of a command line, and the usage. */
export const refuseArguments = (fault, usage) => {
  console.error(`${fault}\n\n${usage}`);
  process.exit(2);
};

/** The options and the other arguments of this process; `options` as for `parseArgs` of Node. */
export const readArguments = (usage, { options = {}, allowPositionals = false } = {}) => {
  const help = { type: 'boolean', short: 'h' };
  let parsed;
  try {
    parsed = parseArgs({ options: { ...options, help }, allowPositionals });
  } catch (error) {
    // Only the first sentence: the others explain parseArgs.
    refuseArguments(error.message.split('. ')[0], usage);
  }
  const { help: isAsked, ...values } = parsed.values;
  if (!isAsked) return { values, positionals: parsed.positionals };
  console.log(usage);
  process.exit(0);
};
