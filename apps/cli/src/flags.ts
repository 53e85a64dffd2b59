/** The errors of `@funnel/attacks` name the options of its functions. On a command line these are flags. */
const flags: Readonly<Record<string, string>> = {
  fromProbabilities: '--from-probabilities',
  bounds: '--bounds',
  output: '--output',
  input: '--input',
  layout: '--layout',
};

/** The text with flags: `--from-probabilities` where it says `fromProbabilities` in backticks. */
export const inFlags = (text: string): string =>
  text.replace(/`(\w+)`/g, (quoted, name: string) => (Object.hasOwn(flags, name) ? flags[name]! : quoted));
