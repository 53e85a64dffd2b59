/** `funnel`: reads the command line, runs one command, and turns what went wrong into words and an exit status. */
import { Command, CommanderError, Option } from 'commander';
import { attackCommand } from './attack/attack.ts';
import { completionCommand } from './commands/completion.ts';
import { dataCommand } from './commands/data.ts';
import { migrateCommand, tokenCommand } from './commands/database.ts';
import { gcCommand } from './commands/gc.ts';
import { leaderboardCommands } from './commands/leaderboard.ts';
import { reportCommand } from './commands/report.ts';
import { doctorCommand, upCommand, workerCommands } from './commands/service.ts';
import { submitCommand } from './commands/submit.ts';
import { sweepCommands, trialCommands } from './commands/sweeps.ts';
import { type Context, createContext } from './context.ts';
import { exitCodes, exitCodesHelp, explain } from './exit.ts';
import { exportCommand } from './export/export.ts';
import { watchStreams } from './output/terminal.ts';

type Register = (program: Command, context: () => Context) => void;

/** Every command, in the order of the help and under its headings. Each loads what it needs when it is run. */
const registrations: Readonly<Record<string, readonly Register[]>> = {
  'Sweeps:': [submitCommand, sweepCommands, trialCommands],
  'Results:': [leaderboardCommands, exportCommand, reportCommand, gcCommand],
  'Without a sweep:': [attackCommand, dataCommand],
  'Service:': [upCommand, workerCommands, doctorCommand, tokenCommand, migrateCommand, completionCommand],
};

/** The command line; `variables` is the environment. */
export const buildProgram = (variables: NodeJS.ProcessEnv): Command => {
  const program = new Command('funnel');
  let made: Context | undefined;
  const context = (): Context => {
    made ??= createContext(variables, program.opts());
    return made;
  };
  program
    .description('Experiment sweeps for adversarially robust representation learning')
    .version('0.1.0', '-V, --version')
    .addOption(new Option('--json', 'results as JSON on stdout'))
    .addOption(
      new Option('--url <address>', 'the API (default: FUNNEL_URL, else the one that runs in this folder)'),
    )
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .showHelpAfterError('(funnel --help lists the commands)')
    .addHelpText('after', exitCodesHelp)
    .exitOverride();
  for (const [heading, registers] of Object.entries(registrations)) {
    program.commandsGroup(heading);
    for (const register of registers) register(program, context);
  }
  for (const command of program.commands) command.exitOverride();
  return program;
};

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
