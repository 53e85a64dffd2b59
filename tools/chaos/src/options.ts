/** The options of `npm run chaos`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { type SearchStrategy, searchStrategies } from './search-sweeps.ts';

/** A number from `min`. Whole, unless it counts seconds or minutes. */
const from =
  (min: number, { isWhole = true } = {}) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= min && value < 1e9 && (!isWhole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`Expected a ${isWhole ? 'whole ' : ''}number from ${min}.`);
  };

/** Values between commas. */
const list =
  <Value>(read: (text: string) => Value) =>
  (text: string): readonly Value[] =>
    text.split(',').map(read);

const oneOf =
  <Name extends string>(names: readonly Name[]) =>
  (text: string): Name => {
    const name = names.find((each) => each === text);
    if (name !== undefined) return name;
    throw new InvalidArgumentError(`Expected one of ${names.join(', ')}.`);
  };

export const program = new Command('chaos')
  .description(
    'Runs sweeps while processes, PostgreSQL, Redis and connections fail, then audits every result.',
  )
  .addOption(
    new Option('--queue <backend>', 'queue backend').choices(['postgres', 'redis', 'both']).default('both'),
  )
  .option('--trials <n>', 'minimum number of trials of the simulated sweep', from(1), 300)
  .option('--workers <n>', 'worker processes; of several numbers, each gets a run', list(from(1)))
  .option('--seed <n>', 'seed of the faults', from(0), 1)
  .option('--step <ms>', 'time of a step of the simulated trainer', from(0), 40)
  .option('--pause <seconds>', 'mean time between two faults', from(0, { isWhole: false }), 2)
  .option(
    '--postgres-every <seconds>',
    'mean time between two crashes or restarts of PostgreSQL; 0: never',
    from(0, { isWhole: false }),
    5,
  )
  .option('--limit <seconds>', 'a run that takes longer fails', from(1), 900)
  .option('--sweep <file>', 'sweep file (YAML or JSON) of the run with real training')
  .option(
    '--unequal',
    'the large sweep on workers of unequal ability: without the data, with half the memory, failing at everything',
  )
  .option('--no-simulated', 'omit the large sweep with the simulated trainer')
  .option('--no-trained', 'omit the small sweep with real training')
  .option(
    '--clients <n>',
    'instead of faults: this many concurrent clients that change sweeps with shared stages',
    from(1),
  )
  .option('--minutes <n>', 'how long the clients work', from(0, { isWhole: false }), 3)
  .option('--search', 'instead of sweeps: searches that decide one configuration after the other')
  .option('--search-strategy <names>', 'strategies of the searches', list(oneOf(searchStrategies)), [
    'tpe',
    'hyperband',
    'asha',
  ] as const)
  .option('--seeds <n>', 'searches of each strategy', from(1), 2)
  .option('--configurations <n>', 'configurations of a search', from(2), 30)
  .option('--extend', 'search half of the configurations, then extend the search')
  .option('--delay <seconds>', 'delay one unit of each search; 0: none', from(0, { isWhole: false }), 0)
  .option('--json', 'end with one line of JSON; progress goes to stderr')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

export type Flags = {
  queue: 'postgres' | 'redis' | 'both';
  trials: number;
  workers?: readonly number[];
  seed: number;
  step: number;
  pause: number;
  postgresEvery: number;
  limit: number;
  sweep?: string;
  simulated: boolean;
  trained: boolean;
  unequal?: true;
  clients?: number;
  minutes: number;
  search?: true;
  searchStrategy: readonly SearchStrategy[];
  seeds: number;
  configurations: number;
  extend?: boolean;
  delay: number;
  json?: true;
};
