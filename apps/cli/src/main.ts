/** `funnel`: reads the command line, runs one command, and turns an error into words and an exit status. */
import { escapeControlsInLines } from '@funnel/contracts';
import { Command, CommanderError, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { type Context, createContext } from './context.ts';
import { errorJson, wantsJson } from './error-json.ts';
import { exitCodes, exitCodesHelp, explain } from './exit.ts';
import { watchStreams } from './output/terminal.ts';
import { hasProxy, useProxy } from './proxy.ts';
import { suggestNames } from './suggestions.ts';

/** Adds the commands of one file to the program. A command asks for its context when it runs. */
type Register = (program: Command, context: () => Context) => void;
type CommandFile = {
  readonly heading: 'Sweeps:' | 'Results:' | 'Without a sweep:' | 'Service:';
  readonly names: readonly string[];
  readonly load: () => Promise<Register>;
};

/** Every command, in the order of the help. Only the file of the called command is loaded, so the others cost no time. */
export const commandFiles: readonly CommandFile[] = [
  {
    heading: 'Sweeps:',
    names: ['submit', 'submissions', 'watch', 'plan'],
    load: async () => (await import('./commands/submit.ts')).submitCommands,
  },
  {
    heading: 'Sweeps:',
    names: ['ls', 'show', 'pause', 'resume', 'cancel', 'retry', 'delete', 'trials', 'log'],
    load: async () => (await import('./commands/sweeps.ts')).sweepCommands,
  },
  {
    heading: 'Sweeps:',
    names: ['tag', 'note'],
    load: async () => (await import('./commands/annotate.ts')).annotateCommands,
  },
  {
    heading: 'Sweeps:',
    names: ['decisions', 'extend', 'try'],
    load: async () => (await import('./commands/search.ts')).searchCommands,
  },
  {
    heading: 'Results:',
    names: ['best', 'compare'],
    load: async () => (await import('./commands/leaderboard.ts')).leaderboardCommands,
  },
  {
    heading: 'Results:',
    names: ['export'],
    load: async () => (await import('./export/export.ts')).exportCommand,
  },
  {
    heading: 'Results:',
    names: ['report'],
    load: async () => (await import('./commands/report.ts')).reportCommand,
  },
  { heading: 'Results:', names: ['gc'], load: async () => (await import('./commands/gc.ts')).gcCommand },
  {
    heading: 'Without a sweep:',
    names: ['examine', 'attack'],
    load: async () => (await import('./attack/attack.ts')).attackCommands,
  },
  {
    heading: 'Without a sweep:',
    names: ['data'],
    load: async () => (await import('./commands/data.ts')).dataCommand,
  },
  {
    heading: 'Without a sweep:',
    names: ['reference', 'hyperparameters', 'attacks'],
    load: async () => (await import('./commands/reference.ts')).referenceCommands,
  },
  {
    heading: 'Service:',
    names: ['up', 'worker', 'workers', 'doctor'],
    load: async () => (await import('./commands/service.ts')).serviceCommands,
  },
  {
    heading: 'Service:',
    names: ['token', 'migrate'],
    load: async () => (await import('./commands/database.ts')).databaseCommands,
  },
  {
    heading: 'Service:',
    names: ['completion'],
    load: async () => (await import('./commands/completion.ts')).completionCommand,
  },
];

/** The files that a command line needs: the file of its command. Help, completion and an unknown command need all files. */
const neededFiles = (args: readonly string[]): readonly CommandFile[] => {
  const command = args.find((arg, i) => !arg.startsWith('-') && args[i - 1] !== '--url');
  const file = commandFiles.find(({ names }) => names.some((name) => name === command));
  return file && command !== 'completion' ? [file] : commandFiles;
};

/**
 * The program for this command line, or with every command when `args` is left out. `variables` is the environment; `writeErr` takes the
 * errors of the command line (default: stderr).
 */
export const buildProgram = async (
  variables: NodeJS.ProcessEnv,
  args: readonly string[] = [],
  writeErr?: (text: string) => void,
): Promise<Command> => {
  const program = new Command('funnel');
  if (writeErr) program.configureOutput({ writeErr });
  let context: Context | undefined;
  const getContext = (): Context => {
    context ??= createContext(variables, program.opts());
    return context;
  };
  program
    .description('Experiment sweeps for adversarially robust representation learning')
    .version(manifest.version, '-V, --version')
    .addOption(new Option('--json', 'results as JSON on stdout'))
    .addOption(
      new Option('--url <address>', 'the API (default: FUNNEL_URL, else the API that runs in this folder)'),
    )
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(`npx funnel --help` lists the commands)')
    .addHelpText('after', exitCodesHelp)
    .exitOverride();
  suggestNames(program, args);
  for (const { heading, load } of neededFiles(args)) {
    const register = await load();
    program.commandsGroup(heading);
    register(program, getContext);
  }
  for (const command of program.commands) command.exitOverride();
  pointToHelp(program, program.name());
  return program;
};

/** After an error in the words of a command, points to the help of this command. */
const pointToHelp = (command: Command, path: string): void => {
  for (const inner of command.commands) {
    const name = `${path} ${inner.name()}`;
    const what = inner.commands.length > 0 ? 'the commands' : 'its options';
    inner.showHelpAfterError(`(\`npx ${name} --help\` lists ${what})`);
    pointToHelp(inner, name);
  }
};

const noCommand = 'Expected a command, but got none\n→ `npx funnel --help` lists the commands.';

export const main = async (args: readonly string[]): Promise<void> => {
  watchStreams();
  const json = wantsJson(args);
  let faults = '';
  const collect = (text: string): void => {
    faults += text;
  };
  try {
    if (hasProxy(process.env)) await useProxy(process.env);
    const program = await buildProgram(process.env, args, json ? collect : undefined);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has written its message. It also throws for --help and --version, with exit code 0.
      process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
      if (error.code === 'commander.help') faults = noCommand; // it has written its whole help
      if (json && error.exitCode !== 0) process.stderr.write(`${errorJson({ text: faults })}\n`);
      return;
    }
    const { text, status, issues } = explain(error, process.env);
    if (text !== '')
      process.stderr.write(`${json ? errorJson({ text, issues }) : escapeControlsInLines(text)}\n`);
    process.exitCode = status;
  }
};
