/** `funnel`: reads the command line, runs one command, and turns what went wrong into words and an exit status. */
import { CommanderError } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { explain } from './output/explain.ts';
import { watchStreams } from './output/streams.ts';
import { buildProgram } from './program.ts';

export const main = async (args: readonly string[]): Promise<void> => {
  watchStreams();
  try {
    await buildProgram(process.env).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its message; help and version are no mistakes.
      process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
      return;
    }
    const { text, status } = explain(error, process.env);
    if (text !== '') process.stderr.write(`${text}\n`);
    process.exitCode = status;
  }
};
