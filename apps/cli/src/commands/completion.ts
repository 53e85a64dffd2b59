import { Argument, type Command } from 'commander';
import { writeResult } from '../output/terminal.ts';

type Flag = { readonly name: string; readonly values: readonly string[] };
type Known = {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  readonly inner: readonly string[];
};

/** The words that a shell can complete, read from the program itself. */
const knownCommands = (program: Command): Known[] =>
  program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    flags: [command, ...command.commands, program]
      .flatMap(({ options }) => options)
      .flatMap(({ long, argChoices }) => (long ? [{ name: long, values: argChoices ?? [] }] : [])),
    inner: [
      ...command.commands.map((inner) => inner.name()),
      ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    ],
  }));

const wordsOf = ({ inner, flags }: Known): string => [...inner, ...flags.map(({ name }) => name)].join(' ');

/** The flags that take one of a list of values. */
const valuesOf = (commands: readonly Known[]): { command: string; flag: string; values: string }[] =>
  commands.flatMap(({ name, flags }) =>
    flags
      .filter(({ values }) => values.length > 0)
      .map((flag) => ({ command: name, flag: flag.name, values: flag.values.join(' ') })),
  );

// Each line of the reply is one word, because the name of a file may contain spaces.
const bash = (commands: readonly Known[]): string => `_funnel() {
  local words="" line IFS=$' \\t\\n'
  if [ "$COMP_CWORD" -eq 1 ]; then words="${commands.map(({ name }) => name).join(' ')}"
  else case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}" in
${valuesOf(commands)
  .map(({ command, flag, values }) => `    '${command} ${flag}') words="${values}" ;;`)
  .join('\n')}
    *) case "\${COMP_WORDS[1]}" in
${commands.map((command) => `      ${command.name}) words="${wordsOf(command)}" ;;`).join('\n')}
    esac ;;
  esac; fi
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
  [ \${#COMPREPLY[@]} -gt 0 ] ||
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o filenames -F _funnel funnel`;

const quoted = (text: string): string => text.replaceAll("'", '’').replaceAll(':', '\\:');

const zsh = (commands: readonly Known[]): string => `#compdef funnel
_funnel() {
  if (( CURRENT == 2 )); then
    local -a names=(${commands.map(({ name, description }) => `'${name}:${quoted(description)}'`).join(' ')})
    _describe command names
  else case "$words[2] $words[CURRENT-1]" in
${valuesOf(commands)
  .map(({ command, flag, values }) => `    '${command} ${flag}') compadd -- ${values} ;;`)
  .join('\n')}
    *) case $words[2] in
${commands.map((command) => `      ${command.name}) compadd -- ${wordsOf(command)}; _files ;;`).join('\n')}
    esac ;;
  esac; fi
}
compdef _funnel funnel`;

const fish = (commands: readonly Known[]): string =>
  commands
    .flatMap(({ name, description, flags, inner }) => [
      `complete -c funnel -n __fish_use_subcommand -a ${name} -d '${description.replaceAll("'", '’')}'`,
      ...inner.map((word) => `complete -c funnel -n '__fish_seen_subcommand_from ${name}' -a ${word}`),
      ...flags.map(({ name: flag, values }) =>
        [
          `complete -c funnel -n '__fish_seen_subcommand_from ${name}' -l ${flag.replace(/^--/, '')}`,
          ...(values.length > 0 ? [`-x -a '${values.join(' ')}'`] : []),
        ].join(' '),
      ),
    ])
    .join('\n');

const shells = { bash, zsh, fish } as const;

export const completionCommand = (program: Command): void => {
  program
    .command('completion')
    .description('print a completion script for your shell: source <(npx funnel completion bash)')
    .addArgument(new Argument('<shell>').choices(Object.keys(shells)))
    .action((shell: keyof typeof shells) => {
      writeResult(process.stdout, `${shells[shell](knownCommands(program))}\n`);
    });
};
