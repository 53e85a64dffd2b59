import { AttackName, type Collection, EvaluationMetricName, RetentionPolicy } from '@funnel/contracts';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { describeCollection } from '../output/service.ts';
import { present } from '../output/terminal.ts';
import { readAmount, readWhole } from '../values.ts';

type Options = {
  readonly keepDays: number;
  readonly keepBest: number;
  readonly metric?: EvaluationMetricName;
  readonly attack?: AttackName;
  readonly keepSweep?: string[];
  readonly yes?: boolean;
};

const again = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

/** Says what would go; with `--yes` it goes. Long collections are asked for in parts: what counts is what the first part found. */
const gc = async ({ keepSweep = [], yes = false, ...options }: Options, context: Context): Promise<void> => {
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
    .description('free the checkpoints that no kept trial needs; says what would go unless --yes')
    .option(
      '--keep-days <days>',
      'keep all trials of sweeps that ended less than so many days ago',
      readAmount,
      keepDays,
    )
    .option('--keep-best <number>', 'keep so many best trials of every sweep', readWhole(0), keepBest)
    .addOption(
      new Option('--metric <name>', 'what is best (default: what the sweep is ranked by)').choices(
        EvaluationMetricName.options,
      ),
    )
    .addOption(
      new Option(
        '--attack <name>',
        'best against this attack (default: as the sweep is ranked; with --metric the worst case over all)',
      ).choices(AttackName.options),
    )
    .option('--keep-sweep <id or name>', 'keep all trials of this sweep; may be given again', again)
    .option('--yes', 'do it')
    .action((options: Options) => gc(options, context()));
};
