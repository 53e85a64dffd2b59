/** The output of `funnel attack` and `funnel examine`: lists of attacks, results, and findings about the model. */
import type { Evaluation } from '@funnel/attacks';
import {
  type AttackName,
  type AttackSpec,
  attackNames,
  attacks,
  type EvaluationRecords,
  type EvaluationSummary,
  type Examination,
  type ExaminationFinding,
  examinationTitles,
  presetNames,
  presets,
} from '@funnel/contracts';
import { z } from 'zod';
import { formatNumber, formatShare, formatTable } from '../output/format.ts';
import { settingsText } from '../output/trials.ts';

type Setting = {
  readonly name: string;
  readonly title: string;
  readonly default: unknown;
  readonly description: string;
};

const settingsOf = (name: AttackName): Setting[] => {
  const { properties = {} } = z.toJSONSchema(attacks[name].settings, { io: 'input' });
  return Object.entries(properties).map(([key, property]) => {
    const {
      title = key,
      description = '',
      default: value,
    } = property as { title?: string; description?: string; default?: unknown };
    return { name: key, title, default: value, description };
  });
};

/** Every attack with its settings, and every preset, as the contracts declare them. */
export const listAttacks = () => ({
  attacks: attackNames.map((name) => {
    const { title, description, citation, family, norm, access } = attacks[name];
    return { name, title, description, citation, family, norm, access, settings: settingsOf(name) };
  }),
  presets: presetNames.map((name) => ({ name: `preset:${name}`, description: presets[name].description })),
});

export const describeAttacks = ({
  attacks: all,
  presets: groups,
}: ReturnType<typeof listAttacks>): string => {
  const one = ({ name, title, description, family, norm, access, settings }: (typeof all)[number]): string =>
    [
      `${name}  ${title} (${family}, ${norm}, ${access})`,
      `  ${description}`,
      ...settings.map(
        (setting) => `    --set ${setting.name}=${JSON.stringify(setting.default)}  ${setting.description}`,
      ),
    ].join('\n');
  const presetTable = formatTable(
    [
      { title: 'preset', value: (preset: (typeof groups)[number]) => preset.name },
      { title: '', value: (preset) => preset.description },
    ],
    groups,
  );
  return `${all.map(one).join('\n\n')}\n\n${presetTable}`;
};

const rowsOf = (records: EvaluationRecords) =>
  records.index.map((index, row) => ({
    index,
    label: records.label[row]!,
    predicted: records.predicted[row]!,
    success: records.success[row]!,
    l2: records.l2[row]!,
    linf: records.linf[row]!,
    l0: records.l0[row]!,
    steps: records.steps[row]!,
  }));

export type Result = AttackSpec & {
  readonly summary: EvaluationSummary;
  readonly rows: ReturnType<typeof rowsOf>;
};

export const resultOf = ({ attack, summary, records }: Evaluation): Result => ({
  ...attack,
  summary,
  rows: rowsOf(records),
});

export const describeResults = (results: readonly Result[]): string =>
  formatTable<Result>(
    [
      { title: 'attack', value: ({ attack }) => attack },
      { title: 'settings', value: settingsText },
      { title: 'clean', value: ({ summary }) => formatShare(summary.cleanAccuracy), align: 'right' },
      { title: 'success', value: ({ summary }) => formatShare(summary.successRate), align: 'right' },
      { title: 'robust', value: ({ summary }) => formatShare(summary.robustAccuracy), align: 'right' },
      { title: 'median L2', value: ({ summary }) => formatNumber(summary.medianL2), align: 'right' },
      { title: 'median L∞', value: ({ summary }) => formatNumber(summary.medianLinf), align: 'right' },
      { title: 'noise level', value: ({ summary }) => formatNumber(summary.noiseLevel), align: 'right' },
    ],
    results,
  );

const symbols = { ok: '✓', marked: '!', refused: '✗' } as const satisfies Record<
  Examination['status'],
  string
>;

export const describeFinding = ({ name, status, detail }: ExaminationFinding): string =>
  `${symbols[status]} ${name}: ${detail || examinationTitles[name]}`;

const verdicts = {
  ok: 'Attacks measure the robustness of this model.',
  marked: 'Attacks run, and their results mention these findings.',
  refused: 'Attacks would not measure the robustness of this model. --force runs them nevertheless.',
} as const satisfies Record<Examination['status'], string>;

export const describeExamination = ({ status, findings, images, backend }: Examination): string =>
  [...findings.map(describeFinding), '', `${verdicts[status]} (${images} images, ${backend})`].join('\n');
