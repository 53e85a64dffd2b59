/** The question "did you mean …?" below an error of Commander: an unknown command or option, or a value that is none of the choices. */
import { didYouMean, escapeControlsInLines } from '@funnel/contracts';
import type { Command } from 'commander';

/** The command that the words of a command line name, and those above it: `funnel`, `funnel data`, `funnel data get`. */
const commandsOf = (program: Command, args: readonly string[]): readonly Command[] => {
  const found = [program];
  for (const word of args) {
    const inner = found.at(-1)!.commands.find((command) => command.name() === word);
    if (inner) found.push(inner);
  }
  return found;
};

/** The error of an option or of an argument. */
const choiceError =
  /(?:argument|value) '([^']*)' is invalid(?: for argument '[^']*')?\. Allowed choices are (.*)\.\n$/;

/** The wrong word of an error of Commander, and the words that were possible; null for another error. */
const wrongWord = (
  error: string,
  commands: readonly Command[],
): { readonly word: string; readonly names: readonly string[] } | null => {
  const [, kind, unknown] = /^error: unknown (command|option) '([^']*)'/.exec(error) ?? [];
  if (kind === 'command')
    return { word: unknown!, names: commands.at(-1)!.commands.map((each) => each.name()) };
  if (kind === 'option') {
    const names = commands.flatMap(({ options }) => options.flatMap(({ long }) => long ?? []));
    return { word: unknown!, names: ['--help', ...names] };
  }
  const [, value, choices] = choiceError.exec(error) ?? [];
  return choices === undefined ? null : { word: value!, names: choices.split(', ') };
};

/**
 * Adds the question to the errors of this program, and escapes the control characters of its arguments. Call it before the program gets its
 * commands, which inherit this.
 */
export const suggestNames = (program: Command, args: readonly string[]): void => {
  program.showSuggestionAfterError(false).configureOutput({
    outputError: (error, write) => {
      const wrong = wrongWord(error, commandsOf(program, args));
      const question = wrong && didYouMean(wrong.word, wrong.names);
      write(escapeControlsInLines(question ? `${error}→ ${question}\n` : error));
    },
  });
};
