/**
 * An identity is the hash of everything that can change a result, and of nothing else. Trials share stages with the same identity, no
 * matter who submitted the trials or when.
 */
import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  type AttackRun,
  attacks,
  attackVersion,
  canonicalJson,
  canonicalWriter,
  checkBudgets,
  DatasetSpec,
  dataOf,
  diagnosisVersion,
  enoughImages,
  Hyperparameters,
  recipes,
  type StageSpec,
  type TrialPoint,
} from '@funnel/contracts';
import type { z } from 'zod';
import { memoize } from './memoize.ts';

export const sha256 = (text: string): string => hash('sha256', text);

/** The fields that a version after 0.1.0 added, with their defaults. Their schemas say `since` in their meta. */
const addedFields = (schema: z.ZodObject): readonly (readonly [name: string, standard: unknown])[] =>
  Object.entries(schema.shape).flatMap(([name, field]) =>
    (field as z.ZodType).meta()?.since === undefined ? [] : [[name, (field as z.ZodType).parse(undefined)]],
  );

/**
 * Returns a function that drops each added field that has its default. So a stage keeps the identity that it had before the field existed,
 * and its result stays in use (decision 18). All other fields are part of the identity, even if they have their default.
 */
export const droppingAddedDefaults = (schema: z.ZodObject) => {
  const added = addedFields(schema);
  return <T extends object>(fields: T): Partial<T> => {
    const dropped = new Set<string>();
    for (const [name, standard] of added)
      if (Object.hasOwn(fields, name) && isDeepStrictEqual(fields[name as keyof T], standard))
        dropped.add(name);
    if (dropped.size === 0) return fields; // a sweep of many trials would copy each
    return Object.fromEntries(Object.entries(fields).filter(([name]) => !dropped.has(name))) as Partial<T>;
  };
};

/** Hyperparameters as identities, trials and stages have them. */
export const identifyingHyperparameters = droppingAddedDefaults(Hyperparameters);
const identifyingDataset = droppingAddedDefaults(DatasetSpec);
const identifyingSettings = Object.fromEntries(
  Object.entries(attacks).map(([name, { settings }]) => [name, droppingAddedDefaults(settings)]),
);

const writeHyperparameters = canonicalWriter(Object.keys(Hyperparameters.shape));

/** The hash of a point without its seed. */
export const configurationId = ({ recipe, hyperparameters }: TrialPoint): string =>
  sha256(
    `{"hyperparameters":${writeHyperparameters(identifyingHyperparameters(hyperparameters))},"recipe":"${recipe}"}`,
  );

const memoizedText = <T extends object>(describe: (value: T) => unknown): ((value: T) => string) =>
  memoize((value) => canonicalJson(describe(value)));

/** The versions in the identity of a stage. The checks are in it, because an evaluation contains their findings. */
export type Versions = {
  readonly engine: string;
  readonly recipe: number;
  /** Null for a training stage, as `checks`. */
  readonly attack: number | null;
  readonly checks: number | null;
};

/** Since this version, a diagnosis of few images has other verdicts. Identities of larger evaluations stay valid. */
const checksOfFew = 3;
/** Since this version, checks attack at the ε of their evaluation. Identities of evaluations at the usual ε stay valid. */
const checksAtEpsilon = 4;

/** The version of the checks of an attack on these images: the last that changed their findings. */
const checksVersion = (attack: AttackRun, dataset: StageSpec['dataset']): number => {
  const { budgets } = dataOf(dataset);
  if (checkBudgets([attack], budgets).linf !== budgets.linf) return checksAtEpsilon;
  return dataset.attack < enoughImages ? checksOfFew : diagnosisVersion;
};

const presentAttackVersion = memoize(attackVersion);

/** The versions with which this program makes the stage. */
export const presentVersions = (
  { recipe, attack, dataset }: Pick<StageSpec, 'recipe' | 'attack' | 'dataset'>,
  engine: string,
): Versions => ({
  engine,
  recipe: recipes[recipe].version,
  attack: attack && presentAttackVersion(attack),
  checks: attack && checksVersion(attack, dataset),
});

const attackIdentity = (run: AttackRun, { attack, checks }: Versions) => ({
  ...run,
  settings: identifyingSettings[run.attack]!(run.settings),
  version: attack,
  diagnosis: Math.min(checks!, diagnosisVersion), // an attack has a version of its checks
});

const textsOfAttack = memoize((_: AttackRun) => new Map<string, string>());

/** The canonical JSON of an attack with these versions. */
const attackText = (run: AttackRun, versions: Versions): string => {
  const texts = textsOfAttack(run);
  const key = `${versions.attack} ${versions.checks}`;
  const known = texts.get(key);
  if (known !== undefined) return known;
  const text = canonicalJson(attackIdentity(run, versions));
  texts.set(key, text);
  return text;
};

/** The text of the last hyperparameters of each kind: stages of a kind often follow each other with the same object. */
const lastTexts = new Map<string, { readonly of: object; readonly text: string }>();

const hyperparametersText = ({
  kind,
  hyperparameters,
}: Pick<StageSpec, 'kind' | 'hyperparameters'>): string => {
  const last = lastTexts.get(kind);
  if (last?.of === hyperparameters) return last.text;
  const text = canonicalJson(identifyingHyperparameters(hyperparameters));
  lastTexts.set(kind, { of: hyperparameters, text });
  return text;
};

/** The versions that not every evaluation has. They have a key of their own. */
const checksKey = (version: number | null): string => {
  if (version === checksOfFew) return `,"diagnosisOfFew":${version}`;
  return version === checksAtEpsilon ? `,"diagnosisAtEpsilon":${version}` : '';
};

/** The name is in the identity only if the data set is built in. The budgets are, because the checks of an attack read them. */
const datasetText = memoizedText(({ content, name, ...sizes }: StageSpec['dataset']) => ({
  ...identifyingDataset(content ? sizes : { name, ...sizes }),
  digest: dataOf({ name, content }).digest,
  budgets: content?.budgets,
}));

/**
 * The chain of a stage: the hash of everything except its length. `dataset` has only the sizes that this kind of stage reads (see
 * `outline.ts`). The hyperparameters of earlier stages are in the hash because `parent` is.
 */
export const chainId = (stage: Omit<StageSpec, 'id' | 'chain' | 'epochs'>, versions: Versions): string => {
  const { recipe, kind, seed, parent, attack, surrogates } = stage;
  // Canonical JSON, with sorted keys. If a stage has no surrogates, the key is left out, so that identities from before surrogates existed
  // stay valid.
  const made = `"attack":${attack ? attackText(attack, versions) : 'null'},"dataset":${datasetText(stage.dataset)},"engine":${JSON.stringify(versions.engine)}`;
  const read = `"hyperparameters":${hyperparametersText(stage)},"kind":"${kind}","parent":${parent === null ? 'null' : `"${parent}"`}`;
  const checks = checksKey(versions.checks);
  const others = surrogates.length > 0 ? `,"surrogates":${canonicalJson(surrogates)}` : '';
  return sha256(
    `{${made},${read},"recipe":"${recipe}","seed":${seed}${checks}${others},"version":${versions.recipe}}`,
  );
};

/** The identity of the stage that ends after `epochs` of this chain. */
export const stageId = (chain: string, epochs: number): string =>
  sha256(`{"chain":"${chain}","epochs":${epochs}}`);
