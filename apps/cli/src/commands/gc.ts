import {
  AttackName,
  type Collection,
  EvaluationMetricName,
  maxKeepBest,
  maxKeepDays,
  RetentionPolicy,
} from '@funnel/contracts';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { describeCollection } from '../output/service.ts';
import { present } from '../output/terminal.ts';
import { findSweep } from '../requests.ts';
import { collect, readAmount, readWhole, sweepWords } from '../values.ts';

type Options = {
  readonly keepDays: number;
  readonly keepBest: number;
  readonly metric?: EvaluationMetricName;
  readonly attack?: AttackName;
  readonly keepSweep?: string[];
  readonly yes?: boolean;
};

/**
 * Reports the checkpoints that a collection would delete, and deletes them with `--yes`. The API deletes many checkpoints in parts; its
 * first answer counts all of them.
 */
const collectGarbage = async (
  { keepSweep = [], yes = false, ...options }: Options,
  context: Context,
): Promise<void> => {
  const { client, output } = context;
  const keepSweeps: string[] = [];
  for (const word of keepSweep) keepSweeps.push(await findSweep(client(), word));
  const body = RetentionPolicy.parse({ ...options, keepSweeps });
  if (!yes) {
    const found = await client().planCollection({ body });
    return present(output, { ...found, collected: false }, () => describeCollection(found, false));
  }
  const found: Collection = await client().collectGarbage({ body });
  for (let { done } = found; !done; ) ({ done } = await client().collectGarbage({ body }));
  present(output, { ...found, done: true, collected: true }, () => describeCollection(found, true));
};

export const gcCommand = (program: Command, context: () => Context): void => {
  const { keepDays, keepBest } = RetentionPolicy.parse({});
  program
    .command('gc')
    .description('delete the checkpoints that no kept trial needs; without --yes, only report them')
    .option(
      '--keep-days <days>',
      'keep all trials of sweeps that ended within this number of days',
      readAmount(maxKeepDays),
      keepDays,
    )
    .option(
      '--keep-best <number>',
      'keep this number of the best trials of every sweep',
      readWhole(0, maxKeepBest),
      keepBest,
    )
    .addOption(
      new Option('--metric <name>', 'the metric for --keep-best (default: as the sweep is ranked)').choices(
        EvaluationMetricName.options,
      ),
    )
    .addOption(
      new Option(
        '--attack <name>',
        'the attack for --keep-best (default: as the sweep is ranked; with --metric the worst case over all attacks)',
      ).choices(AttackName.options),
    )
    .option('--keep-sweep <sweep>', `keep all trials of this sweep (${sweepWords}); may be repeated`, collect)
    .option('--yes', 'delete the checkpoints')
    .action((options: Options) => collectGarbage(options, context()));
};
