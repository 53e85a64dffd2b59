import { Command, Option } from 'commander';
import { attackCommand } from './commands/attack.ts';
import { completionCommand } from './commands/completion.ts';
import { dataCommand } from './commands/data.ts';
import { doctorCommand } from './commands/doctor.ts';
import { exitCodesHelp } from './commands/exit-codes-help.ts';
import { exportCommand } from './commands/export.ts';
import { gcCommand } from './commands/gc.ts';
import { leaderboardCommands } from './commands/leaderboard.ts';
import { migrateCommand } from './commands/migrate.ts';
import { reportCommand } from './commands/report.ts';
import { submitCommand } from './commands/submit.ts';
import { sweepCommands } from './commands/sweeps.ts';
import { tokenCommand } from './commands/token.ts';
import { trialCommands } from './commands/trials.ts';
import { upCommand } from './commands/up.ts';
import { workerCommands } from './commands/worker.ts';
import { type Context, createContext } from './context.ts';

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
