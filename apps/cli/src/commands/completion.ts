import { Argument, type Command } from 'commander';

type Known = {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly string[];
  readonly inner: readonly string[];
};

/** What can be completed, read from the program itself. */
const knownCommands = (program: Command): Known[] =>
  program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    flags: [...command.options, ...program.options].flatMap(({ long }) => long ?? []),
    inner: [
      ...command.commands.map((inner) => inner.name()),
      ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    ],
  }));

const bash = (commands: readonly Known[]): string => `_funnel() {
  local words=""
  if [ "$COMP_CWORD" -eq 1 ]; then words="${commands.map(({ name }) => name).join(' ')}"
  else case "\${COMP_WORDS[1]}" in
${commands.map(({ name, flags, inner }) => `    ${name}) words="${[...inner, ...flags].join(' ')}" ;;`).join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o filenames -F _funnel funnel`;

const quoted = (text: string): string => text.replaceAll("'", '’').replaceAll(':', '\\:');

const zsh = (commands: readonly Known[]): string => `#compdef funnel
_funnel() {
  if (( CURRENT == 2 )); then
    local -a names=(${commands.map(({ name, description }) => `'${name}:${quoted(description)}'`).join(' ')})
    _describe command names
  else case $words[2] in
${commands.map(({ name, flags, inner }) => `    ${name}) compadd -- ${[...inner, ...flags].join(' ')}; _files ;;`).join('\n')}
  esac; fi
}
compdef _funnel funnel`;

const fish = (commands: readonly Known[]): string =>
  commands
    .flatMap(({ name, description, flags, inner }) => [
      `complete -c funnel -n __fish_use_subcommand -a ${name} -d '${quoted(description)}'`,
      ...inner.map((word) => `complete -c funnel -n '__fish_seen_subcommand_from ${name}' -a ${word}`),
      ...flags.map(
        (flag) => `complete -c funnel -n '__fish_seen_subcommand_from ${name}' -l ${flag.replace(/^--/, '')}`,
      ),
    ])
    .join('\n');

const shells = { bash, zsh, fish } as const;

export const completionCommand = (program: Command): void => {
  program
    .command('completion')
    .description('a script for your shell: source <(funnel completion bash)')
    .addArgument(new Argument('<shell>').choices(Object.keys(shells)))
    .action((shell: keyof typeof shells) => {
      process.stdout.write(`${shells[shell](knownCommands(program))}\n`);
    });
};
