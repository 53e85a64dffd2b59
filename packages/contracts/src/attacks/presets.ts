/** Presets are named lists of attacks at the usual budgets of a data set. The list of attacks in a sweep may name presets. */
import { z } from 'zod';
import {
  type AttackInput,
  type AttackName,
  type AttackSpec,
  attackKey,
  attackSpec,
  attacks,
  epsilonFaultAmong,
  writtenAttack,
} from '../attacks.ts';
import { type Budgets, budgetsOf, type DatasetName } from '../datasets.ts';
import { settingsJsonSchema } from '../fractions.ts';
import { likeThis } from '../like-this.ts';

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

/** The attacks of a preset at the usual budgets of a data set (default: MNIST), without default settings. */
export const presetAttacks = (preset: PresetName, budgets: Budgets = budgetsOf()): readonly AttackInput[] =>
  presets[preset].attacks(budgets);

const namesOf = (preset: PresetName): readonly AttackName[] => [
  ...new Set(presetAttacks(preset).map((input) => (typeof input === 'string' ? input : input.attack))),
];

/** The attacks of `preset:NAME`; none for another name. */
export const attacksOfPreset = (name: string): readonly AttackName[] =>
  presetNames.filter((preset) => name === `preset:${preset}`).flatMap(namesOf);

/** A setting of several attacks: the value must fit each of them. */
const sharedSetting = (schemas: readonly [z.ZodType, ...z.ZodType[]]): z.ZodType => {
  const { title, description } = schemas[0].meta() ?? {};
  return z
    .unknown()
    .superRefine((value, context) => {
      const results = schemas.map((schema) => schema.safeParse(value));
      for (const issue of results.find(({ error }) => error)?.error?.issues ?? [])
        context.addIssue({ ...issue });
    })
    .meta({
      ...(title !== undefined && { title }),
      ...(description !== undefined && { description }),
      // The check above shows in no JSON Schema. Made when a JSON Schema is asked for, because few programs do.
      get allOf() {
        return [...new Set(schemas.map((schema) => JSON.stringify(boundsOf(schema))))].map((json) =>
          JSON.parse(json),
        );
      },
    })
    .optional();
};

/** The JSON Schema of a setting without its default and its texts, which differ between attacks. */
const boundsOf = (schema: z.ZodType): object => {
  const { $schema, default: _, title, description, ...bounds } = settingsJsonSchema(schema);
  return bounds;
};

/** The settings that can be given with a preset: those of its attacks. A value applies to every attack that has the setting. */
const settingsOf = (preset: PresetName): z.ZodObject => {
  const shapes = namesOf(preset).map(
    (name): Readonly<Record<string, z.ZodType>> => attacks[name].settings.shape,
  );
  const names = [...new Set(shapes.flatMap(Object.keys))];
  const schemasOf = (name: string) => shapes.flatMap((shape) => shape[name] ?? []);
  return z.strictObject(
    // A name comes from one of the shapes, so there is at least one schema.
    Object.fromEntries(names.map((name) => [name, sharedSetting(schemasOf(name) as [z.ZodType])])),
  );
};

/** In a list of attacks `preset:paper` stands for all attacks of the preset `paper`. */
export type PresetReference = `preset:${PresetName}`;

const presetOf = (reference: PresetReference): PresetName =>
  PresetName.parse(reference.slice('preset:'.length));

/** All attacks of a preset; those that have one of these settings take it. */
export type PresetEntry = {
  readonly attack: PresetReference;
  readonly settings?: Readonly<Record<string, unknown>>;
};

/** An entry of a list of attacks: an attack, or all attacks of a preset. */
export type AttackListEntry = AttackSpec | PresetEntry;

/** A preset as people write it beside its name: `{ attack: 'preset:autoattack', epsilon: 0.1 }`. */
type PresetInput = { readonly attack: PresetReference } & Readonly<Record<string, unknown>>;

// The types of the options are the mapped types of `attacks.ts`.
const AttackListEntry = writtenAttack(
  new Map(presetNames.map((name) => [`preset:${name}`, settingsOf(name)])),
) as unknown as z.ZodType<AttackListEntry, AttackInput | PresetReference | PresetInput | AttackListEntry>;

/** The attacks of a sweep: attacks and presets. `expandAttacks` takes the parsed list. */
export const AttackList = z
  .array(AttackListEntry, { error: likeThis('a list such as [pgd-linf, preset:autoattack]') })
  .min(1)
  .max(1000)
  .meta({
    title: 'Attacks',
    description:
      'Attacks by name or with settings, and presets as `preset:NAME` or with settings for those of their attacks that have them.',
  });
export type AttackList = z.infer<typeof AttackList>;

/** One attack, or one preset, as a list of it. */
export const LoneAttack = AttackListEntry.transform((entry) => [entry]);

const isPreset = (entry: AttackListEntry): entry is PresetEntry => entry.attack.startsWith('preset:');

/** Why an attack, or one of a preset, cannot be meant so: its ε is too large. Null if each can. */
export const entryFault = (entry: AttackListEntry): string | null => {
  const { settings = {} } = entry;
  const runs = isPreset(entry)
    ? namesOf(presetOf(entry.attack))
        .filter((name) => 'epsilon' in attacks[name].settings.shape)
        .map((attack) => ({ attack, settings }))
    : [{ attack: entry.attack, settings }];
  return epsilonFaultAmong(runs, 'list the attacks of each norm with an ε of their own');
};

/** The attacks of an entry without default settings: one attack, or those of a preset with the settings that each of them has. */
export const attacksOf = (entry: AttackListEntry, budgets?: Budgets): readonly AttackInput[] => {
  if (!isPreset(entry)) return [entry];
  const own = presetAttacks(presetOf(entry.attack), budgets);
  const settings = Object.entries(entry.settings ?? {});
  if (settings.length === 0) return own;
  return own.map((input) => {
    const written = typeof input === 'string' ? { attack: input } : input;
    const fitting = settings.filter(([name]) => name in attacks[written.attack].settings.shape);
    return { ...written, ...Object.fromEntries(fitting) } as AttackInput; // each attack's schema checked its settings
  });
};

/**
 * Every attack of a list once, in order, with the defaults of its settings. Presets take `budgets` (default: the usual ones of
 * `dataset`), and the settings that stand beside their name. Errors: a ZodError that names the unknown attack, preset or setting.
 */
export const expandAttacks = (
  list:
    | readonly (AttackInput | PresetReference | PresetInput | AttackListEntry)[]
    | { readonly preset: PresetName },
  {
    dataset,
    budgets = budgetsOf(dataset),
  }: { readonly dataset?: DatasetName; readonly budgets?: Budgets } = {},
): readonly AttackSpec[] => {
  const entries = 'preset' in list ? [`preset:${list.preset}`] : list;
  const specs = z
    .array(AttackListEntry)
    .parse(entries)
    .flatMap((entry) => (isPreset(entry) ? attacksOf(entry, budgets).map(attackSpec) : [entry]));
  return [...new Map(specs.map((spec) => [attackKey(spec), spec])).values()];
};
