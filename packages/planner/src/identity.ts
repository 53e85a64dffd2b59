/**
 * Identities: the hash of everything that can change a result, and of nothing else. Two trials that agree on it share the work,
 * whoever submitted them and when.
 */
import { hash } from 'node:crypto';
import {
  type AttackRun,
  attacks,
  canonicalJson,
  datasets,
  diagnosisVersion,
  recipes,
  type StageSpec,
  type TrialPoint,
} from '@funnel/contracts';

export const sha256 = (text: string): string => hash('sha256', text);

/** A point without its seed: seeds are averaged over it. */
export const configurationId = ({ recipe, hyperparameters }: TrialPoint): string =>
  sha256(`{"hyperparameters":${canonicalJson(hyperparameters)},"recipe":"${recipe}"}`);

/** The checks that judge an evaluation are part of it: judged otherwise, it is another result. */
const attackIdentity = (run: AttackRun) => ({
  ...run,
  version: attacks[run.attack].version,
  diagnosis: diagnosisVersion,
});

/** The canonical text of what many stages have in common, made once for each object: a large sweep has few of these and many stages. */
const commonText = <T extends object>(describe: (value: T) => unknown): ((value: T) => string) => {
  const texts = new WeakMap<T, string>();
  return (value) => {
    const known = texts.get(value);
    if (known !== undefined) return known;
    const text = canonicalJson(describe(value));
    texts.set(value, text);
    return text;
  };
};

const hyperparametersText = commonText((hyperparameters: StageSpec['hyperparameters']) => hyperparameters);
const attackText = commonText(attackIdentity);
const datasetText = commonText((dataset: StageSpec['dataset']) => ({
  ...dataset,
  digest: datasets[dataset.name].digest,
}));

/**
 * The chain of a stage: all of it but its length. The subset sizes in `dataset` are those that this kind reads (see `outline.ts`), and
 * hyperparameters of earlier stages arrive through `parent`.
 */
export const chainId = (stage: Omit<StageSpec, 'id' | 'chain' | 'epochs'>, engineVersion: string): string => {
  const { recipe, kind, seed, parent, attack, surrogates } = stage;
  // Canonical JSON: keys in order. Surrogates are left out where there are none: what has none is what it was before there were any.
  const made = `"attack":${attack ? attackText(attack) : 'null'},"dataset":${datasetText(stage.dataset)},"engine":${JSON.stringify(engineVersion)}`;
  const read = `"hyperparameters":${hyperparametersText(stage.hyperparameters)},"kind":"${kind}","parent":${parent === null ? 'null' : `"${parent}"`}`;
  const others = surrogates.length > 0 ? `,"surrogates":${canonicalJson(surrogates)}` : '';
  return sha256(
    `{${made},${read},"recipe":"${recipe}","seed":${seed}${others},"version":${recipes[recipe].version}}`,
  );
};

/** A stage is a point on its chain. */
export const stageId = (chain: string, epochs: number): string =>
  sha256(`{"chain":"${chain}","epochs":${epochs}}`);
