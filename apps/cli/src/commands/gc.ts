import { AttackName, type Collection, EvaluationMetricName, RetentionPolicy } from '@funnel/contracts';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { describeCollection } from '../output/service.ts';
import { present } from '../output/terminal.ts';
import { collect, readAmount, readWhole } from '../values.ts';

type Options = {
  readonly keepDays: number;
  readonly keepBest: number;
  readonly metric?: EvaluationMetricName;
  readonly attack?: AttackName;
  readonly keepSweep?: string[];
  readonly yes?: boolean;
};

/** Reports what would be freed, and frees it with `--yes`. The API frees a large collection in parts; the first answer counts all of it. */
const collectGarbage = async (
  { keepSweep = [], yes = false, ...options }: Options,
  context: Context,
): Promise<void> => {
  const { client, output } = context;
  const body = RetentionPolicy.parse({ ...options, keepSweeps: keepSweep });
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
    .description('free the checkpoints that no kept trial needs; without --yes, only say which')
    .option(
      '--keep-days <days>',
      'keep all trials of sweeps that ended in the last days',
      readAmount,
      keepDays,
    )
    .option('--keep-best <number>', 'keep this many best trials of every sweep', readWhole(0), keepBest)
    .addOption(
      new Option('--metric <name>', 'best by this (default: what the sweep is ranked by)').choices(
        EvaluationMetricName.options,
      ),
    )
    .addOption(
      new Option(
        '--attack <name>',
        'best against this attack (default: as the sweep is ranked; with --metric the worst case over all)',
      ).choices(AttackName.options),
    )
    .option('--keep-sweep <id or name>', 'keep all trials of this sweep; may be given again', collect)
    .option('--yes', 'do it')
    .action((options: Options) => collectGarbage(options, context()));
};
