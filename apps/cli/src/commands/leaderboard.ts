import {
  AttackName,
  DatasetName,
  EvaluationMetricName,
  type LeaderboardRow,
  type RecipeName,
} from '@funnel/contracts';
import { type Command, Option } from 'commander';
import { allPages } from '../all-pages.ts';
import type { Context } from '../context.ts';
import { describeComparison } from '../output/describe-comparison.ts';
import { present } from '../output/output.ts';
import { readWhole } from '../read-number.ts';
import { describeLeaderboard } from '../watch/describe-leaderboard.ts';
import { distanceInstead, titleOf } from '../watch/ranking.ts';

export type LeaderboardOptions = {
  readonly attack?: AttackName;
  readonly metric?: EvaluationMetricName;
  readonly recipe?: RecipeName[];
  readonly dataset?: DatasetName;
  readonly sweep?: string;
  readonly where?: string[];
  readonly group: 'trial' | 'configuration';
  readonly masked: 'last' | 'equal' | 'hide';
  readonly limit: number;
};

const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

/** What the leaderboard may be asked, the same for looking and for exporting. */
export const withFilters = (command: Command, limit: number): Command =>
  command
    .addOption(
      new Option('--attack <name>', 'rank by this attack (default: the worst case over all)').choices(
        AttackName.options,
      ),
    )
    .addOption(
      new Option(
        '--metric <name>',
        'rank by this (default: robust accuracy, or the median distance where that tells nothing apart)',
      ).choices(EvaluationMetricName.options),
    )
    .option('--recipe <name>', 'only this recipe; may be given again', collect)
    .addOption(new Option('--dataset <name>', 'only this data set').choices(DatasetName.options))
    .option('--sweep <id>', 'only this sweep')
    .option(
      '--where <knob:value>',
      'only these values, such as gamma:5 or beta:0.01..0.1; may be given again',
      collect,
    )
    .addOption(
      new Option('--group <by>', 'every trial, or the mean over seeds')
        .choices(['trial', 'configuration'])
        .default('trial'),
    )
    .addOption(
      new Option('--masked <where>', 'where runs with masked gradients rank')
        .choices(['last', 'equal', 'hide'])
        .default('last'),
    )
    .option('--limit <number>', 'at most so many', readWhole(1), limit);

export const readRows = async (
  { limit, ...query }: LeaderboardOptions,
  { client }: Context,
): Promise<LeaderboardRow[]> => {
  const api = client();
  return allPages((page) => api.leaderboard({ query: { ...query, ...page } }), limit);
};

const best = async (options: LeaderboardOptions, context: Context): Promise<void> => {
  const { attack, metric } = options;
  const rows = await readRows(options, context);
  const apart = metric === undefined ? distanceInstead(rows) : null;
  const ranked = apart === null ? rows : await readRows({ ...options, metric: apart }, context);
  if (apart !== null)
    context.output.note(
      `All of these runs have a robust accuracy of 0: ranked by ${titleOf(apart)} instead.`,
    );
  present(context.output, ranked, () => describeLeaderboard(ranked, { attack }));
};

export const leaderboardCommands = (program: Command, context: () => Context): void => {
  withFilters(program.command('best').description('the most robust runs, best first'), 20).action(
    (options: LeaderboardOptions) => best(options, context()),
  );
  program
    .command('compare')
    .description('two to six trials side by side')
    .argument('<trials...>', 'trial ids')
    .action(async (trials: string[]) => {
      const { client, output } = context();
      present(output, await client().compare({ query: { trials: trials.join(',') } }), describeComparison);
    });
};
