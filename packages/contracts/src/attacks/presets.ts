/** Presets are named lists of attacks at the usual budgets of a data set. The list of attacks in a sweep may name presets. */
import { z } from 'zod';
import { type AttackInput, type AttackSpec, attackKey, attackSpec, writtenAttack } from '../attacks.ts';
import { type Budgets, budgetsOf, type DatasetName } from '../datasets.ts';

export type Preset = {
  readonly title: string;
  readonly description: string;
  readonly attacks: (budgets: Budgets) => readonly AttackInput[];
  /** The attacks are one measurement, the worst case: outside of sweeps each of them gets only the images that still stand. */
  readonly isEnsemble?: true;
};

/** Table 2 of the paper, with every possible meaning of its ε = 0.005, then the numbers in its text. */
const paper: readonly AttackInput[] = [
  { attack: 'deepfool-l2', steps: 50 },
  { attack: 'deepfool-linf', steps: 50 },
  { attack: 'fgsm', search: true, epsilon: 0.005 },
  { attack: 'fgsm', search: false, epsilon: 0.005 },
  { attack: 'bim', search: false, epsilon: 0.005, stepSize: 0.001, steps: 10 },
  { attack: 'iterative-gradient-sign', epsilon: 0.005 },
  'single-pixel',
  'local-search',
  { attack: 'deepfool-l2', steps: 200 },
  { attack: 'deepfool-l2', steps: 1000 },
  { attack: 'deepfool-linf', steps: 200 },
  'fgsm',
  'gradient',
];

const autoattack = ({ linf }: Budgets): readonly AttackInput[] => [
  { attack: 'apgd-ce-linf', epsilon: linf },
  { attack: 'apgd-t-linf', epsilon: linf },
  { attack: 'fab-t-linf', epsilon: linf },
  { attack: 'square-linf', epsilon: linf },
];

const standard = (budgets: Budgets): readonly AttackInput[] => [
  ...autoattack(budgets),
  { attack: 'apgd-ce-l2', epsilon: budgets.l2 },
  { attack: 'apgd-t-l2', epsilon: budgets.l2 },
  { attack: 'fab-t-l2', epsilon: budgets.l2 },
  { attack: 'square-l2', epsilon: budgets.l2 },
];

const quick = ({ linf, l2 }: Budgets): readonly AttackInput[] => [
  { attack: 'deepfool-l2', steps: 50 },
  { attack: 'deepfool-linf', steps: 50 },
  { attack: 'fgsm', search: false, epsilon: linf },
  { attack: 'pgd-linf', epsilon: linf },
  { attack: 'pgd-l2', epsilon: l2 },
  'fmn-l2',
];

const full = (budgets: Budgets): readonly AttackInput[] => [
  ...paper,
  ...quick(budgets),
  ...standard(budgets),
  { attack: 'pgd-linf', epsilon: budgets.linf, steps: 100, restarts: 10 },
  { attack: 'pgd-linf', epsilon: budgets.linf, steps: 100, restarts: 10, loss: 'margin' },
  { attack: 'pgd-l2', epsilon: budgets.l2, steps: 100, restarts: 10 },
  { attack: 'pgd-l2', epsilon: budgets.l2, steps: 100, restarts: 10, loss: 'margin' },
  'fmn-linf',
  'cw-l2',
  'hop-skip-jump-l2',
  { attack: 'noise-linf', epsilon: budgets.linf },
  { attack: 'noise-l2', epsilon: budgets.l2 },
  { attack: 'feature-linf', epsilon: budgets.linf },
  { attack: 'feature-l2', epsilon: budgets.l2 },
  { attack: 'transfer-linf', epsilon: budgets.linf },
  { attack: 'transfer-l2', epsilon: budgets.l2 },
];

export const presets = {
  quick: { title: 'Quick', description: 'Minutes, not hours: DeepFool, FGSM, PGD and FMN.', attacks: quick },
  paper: {
    title: 'Paper',
    description: 'Table 2 of the paper and the numbers in its text.',
    attacks: () => paper,
  },
  autoattack: {
    title: 'AutoAttack',
    description: "AutoAttack's four parts at the data set's L∞ budget.",
    attacks: autoattack,
    isEnsemble: true,
  },
  standard: {
    title: 'Standard',
    description: "AutoAttack's four parts at the data set's L∞ and L2 budgets.",
    attacks: standard,
    isEnsemble: true,
  },
  full: {
    title: 'Full',
    description:
      'The presets `paper`, `quick` and `standard`, more restarts, and decision-based, feature and transfer attacks.',
    attacks: full,
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;
export const presetNames = Object.keys(presets) as PresetName[];
export const PresetName = z.enum(presetNames as [PresetName, ...PresetName[]]);

/** The attacks of a preset at the usual budgets of the data set, without default settings. */
export const presetAttacks = (preset: PresetName, dataset?: DatasetName): readonly AttackInput[] =>
  presets[preset].attacks(budgetsOf(dataset));

/** In a list of attacks `preset:paper` stands for all attacks of the preset `paper`. */
export type PresetReference = `preset:${PresetName}`;
const presetReferences = presetNames.map((name): PresetReference => `preset:${name}`);

/** An entry of a list of attacks: an attack, or all attacks of a preset. */
export type AttackListEntry = AttackSpec | { readonly attack: PresetReference };
// The types of the options are the mapped types of `attacks.ts`.
const AttackListEntry = writtenAttack(presetReferences) as unknown as z.ZodType<
  AttackListEntry,
  AttackInput | PresetReference | AttackListEntry
>;

/** The attacks of a sweep: attacks and presets. `expandAttacks` takes the parsed list. */
export const AttackList = z
  .array(AttackListEntry)
  .min(1)
  .max(1000)
  .meta({ title: 'Attacks', description: 'Attacks by name or with settings, and presets as `preset:NAME`.' });
export type AttackList = z.infer<typeof AttackList>;

/**
 * Every attack of a list once, in order, with the defaults of its settings. Presets take the usual budgets of `dataset`.
 * Errors: a ZodError that names the unknown attack, preset or setting.
 */
export const expandAttacks = (
  list: readonly (AttackInput | PresetReference | AttackListEntry)[] | { readonly preset: PresetName },
  options: { readonly dataset?: DatasetName } = {},
): readonly AttackSpec[] => {
  const entries = 'preset' in list ? [`preset:${list.preset}`] : list;
  const specs = z
    .array(AttackListEntry)
    .parse(entries)
    .flatMap((entry) => {
      if ('settings' in entry) return [entry];
      return presetAttacks(PresetName.parse(entry.attack.slice('preset:'.length)), options.dataset).map(
        attackSpec,
      );
    });
  return [...new Map(specs.map((spec) => [attackKey(spec), spec])).values()];
};
