import {
  AttackName,
  comparedTrials,
  EvaluationMetricName,
  type LeaderboardRow,
  PresetName,
  type Ranking,
  type RankingNotes,
  RecipeName,
  usualRankings,
} from '@funnel/contracts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { describeComparison } from '../output/comparison.ts';
import { allTie, describeLeaderboard, distanceInstead, insteadText } from '../output/leaderboard.ts';
import { type Output, present } from '../output/terminal.ts';
import { findSweep, findTrial, firstItems, firstOnly } from '../requests.ts';
import { collect, readTag, readWhole, trialWords } from '../values.ts';

/** The value of `--attack` that means the worst case over all attacks of a trial. */
const worst = 'worst';

export type LeaderboardOptions = {
  readonly attack?: AttackName | typeof worst;
  readonly metric?: EvaluationMetricName;
  readonly recipe?: RecipeName[];
  readonly dataset?: string;
  readonly sweep?: string;
  readonly tag?: string[];
  readonly where?: string[];
  readonly group: 'trial' | 'configuration';
  readonly masked: 'last' | 'equal' | 'hide';
  readonly allRungs?: boolean;
  readonly limit: number;
};

const ranked = [...AttackName.options, worst];

const isPreset = (text: string): boolean => PresetName.safeParse(text.replace(/^preset:/, '')).success;

/** Throws InvalidArgumentError, in the words of Commander's own choices, which `suggestNames` understands. */
const readRankedAttack = (text: string): string => {
  if (ranked.includes(text)) return text;
  throw new InvalidArgumentError(
    isPreset(text)
      ? `A preset is several attacks: --attack ${worst} ranks by the worst case over the attacks of a run.`
      : `Allowed choices are ${ranked.join(', ')}.`,
  );
};

/** As `collect`, for names of recipes. Throws InvalidArgumentError, as `readRankedAttack`. */
const readRecipe = (text: string, earlier: readonly RecipeName[] = []): readonly RecipeName[] => {
  const { data } = RecipeName.safeParse(text);
  if (data) return [...earlier, data];
  throw new InvalidArgumentError(`Allowed choices are ${RecipeName.options.join(', ')}.`);
};

/** Adds the options that `best` and `export` share. */
export const withFilters = (command: Command, limit: number): Command =>
  command
    .addOption(
      new Option(
        '--attack <name>',
        `rank by this attack, or by the ${worst} case over all attacks (default: the choice of the sweep; over all sweeps ${usualRankings()[0].attack})`,
      )
        .choices(ranked)
        .argParser(readRankedAttack),
    )
    .addOption(
      new Option(
        '--metric <name>',
        'rank by this metric (default: robust accuracy, or the median distance when every robust accuracy is 0)',
      ).choices(EvaluationMetricName.options),
    )
    .addOption(
      new Option('--recipe <name>', 'only this recipe; may be repeated')
        .choices(RecipeName.options)
        .argParser(readRecipe),
    )
    .option('--dataset <name>', 'only this data set')
    .option('--sweep <id or name>', 'only this sweep')
    .option('--tag <tag>', 'only sweeps with this tag; repeated: with all of these tags', readTag)
    .option(
      '--where <hyperparameter:value>',
      'only these values, such as gamma:5 or beta:0.01..0.1; may be repeated',
      collect,
    )
    .addOption(
      new Option('--group <by>', 'one row per configuration with the mean over its seeds, or one per trial')
        .choices(['configuration', 'trial'])
        .default('configuration'),
    )
    .addOption(
      new Option(
        '--masked <where>',
        'the place of runs that are masked or untrained, or have too few images to rank',
      )
        .choices(['last', 'equal', 'hide'])
        .default('last'),
    )
    .option(
      '--all-rungs',
      'for a search with promotion: one ranking of the runs of all rungs (default: each configuration once, at its highest rung)',
    )
    .option('--limit <number>', 'the largest number of rows', readWhole(1), limit);

export type Ranked = {
  /** Undefined: the worst case over all attacks. */
  readonly attack: AttackName | undefined;
  readonly rows: readonly LeaderboardRow[];
  /** False when there are more rows than were asked for. */
  readonly isComplete: boolean;
  readonly notes: RankingNotes;
};

/** Ranks by the options. Without `attack` and `metric`, it tries the usual rankings in order, and takes the first that finds a run. */
export const readRanked = async (
  { limit, attack, metric, sweep: named, allRungs, ...others }: LeaderboardOptions,
  { client }: Context,
): Promise<Ranked> => {
  const api = client();
  const sweep = named === undefined ? undefined : await findSweep(api, named);
  const filters = { ...others, sweep, ...(allRungs && { rungs: 'all' as const }) };
  const readUsual = async () =>
    usualRankings(
      sweep === undefined ? undefined : (await api.getSweep({ params: { id: sweep } })).definition,
    );
  const rankings: readonly Partial<Ranking>[] =
    attack === undefined && metric === undefined
      ? await readUsual()
      : [{ attack: attack === worst ? undefined : attack, metric }];
  let found: Ranked = { attack: undefined, rows: [], isComplete: true, notes: {} };
  for (const ranking of rankings) {
    if (found.rows.length > 0) break;
    let notes: RankingNotes = {};
    const { items: rows, isComplete } = await firstItems(async (page) => {
      const answer = await api.leaderboard({ query: { ...filters, ...ranking, ...page } });
      if (page.cursor === undefined) notes = answer;
      return answer;
    }, limit);
    found = { attack: ranking.attack, rows, isComplete, notes };
  }
  return found;
};

/** `asked`; or the same runs ranked by a distance, if their robust accuracies tell nothing and their distances differ. `output`: says so. */
export const orByDistance = async (
  asked: Ranked,
  readBy: (metric: EvaluationMetricName) => Promise<Ranked>,
  output: Output,
): Promise<Ranked> => {
  const distance = distanceInstead(asked.rows);
  if (distance === null) return asked;
  const byDistance = await readBy(distance);
  if (allTie(byDistance.rows)) return asked;
  output.note(insteadText(asked.rows, distance));
  return byDistance;
};

/** The sentence for a ranking without rows: options may have left out every run. */
const nothingText = ({ attack, dataset, recipe, tag, where }: LeaderboardOptions): string => {
  if (attack !== undefined && attack !== worst)
    return `No run that these options select has results of ${attack}. \`--attack ${worst}\` ranks by the attacks that there are.`;
  return [dataset, recipe, tag, where].every((option) => option === undefined)
    ? 'No evaluation yet.'
    : 'No run that these options select has results yet.';
};

const showBest = async (options: LeaderboardOptions, context: Context): Promise<void> => {
  const asked = await readRanked(options, context);
  const byDistance = (metric: EvaluationMetricName) =>
    readRanked({ ...options, attack: asked.attack ?? worst, metric }, context);
  const { attack, rows, isComplete, notes } =
    options.metric === undefined ? await orByDistance(asked, byDistance, context.output) : asked;
  present(context.output, rows, () =>
    describeLeaderboard(rows, {
      ...{ attack, notes, nothing: nothingText(options) },
      rungs: options.allRungs ? 'all' : 'highest',
    }),
  );
  if (!isComplete) context.output.note(firstOnly(rows.length, 'row', '--limit shows more.'));
};

export const leaderboardCommands = (program: Command, context: () => Context): void => {
  withFilters(program.command('best').description('list the most robust runs, best first'), 20).action(
    (options: LeaderboardOptions) => showBest(options, context()),
  );
  program
    .command('compare')
    .description('show two to six trials side by side')
    .argument('<trials...>', `each as ${trialWords}`)
    .action(async (trials: string[]) => {
      const { client, output } = context();
      const api = client();
      const ids = await Promise.all(trials.map((trial) => findTrial(api, trial)));
      const different = new Set(ids).size;
      if (different < comparedTrials.min || different > comparedTrials.max)
        throw new Exit(
          exitCodes.usage,
          `Expected ${comparedTrials.min} to ${comparedTrials.max} different trials, but got ${different}.\n→ \`npx funnel best\` and \`npx funnel trials SWEEP\` list trials.`,
        );
      present(output, await api.compare({ query: { trials: ids.join(',') } }), describeComparison);
    });
};
