/**
 * An identity is the hash of everything that can change a result, and of nothing else. Trials share stages with the same identity, no
 * matter who submitted the trials or when.
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

/** The hash of a point without its seed. */
export const configurationId = ({ recipe, hyperparameters }: TrialPoint): string =>
  sha256(`{"hyperparameters":${canonicalJson(hyperparameters)},"recipe":"${recipe}"}`);

/** The version of the checks is part of the identity, because an evaluation contains their findings. */
const attackIdentity = (run: AttackRun) => ({
  ...run,
  version: attacks[run.attack].version,
  diagnosis: diagnosisVersion,
});

/** The canonical JSON of a value that many stages share, computed once for each object. */
const memoizedText = <T extends object>(describe: (value: T) => unknown): ((value: T) => string) => {
  const texts = new WeakMap<T, string>();
  return (value) => {
    const known = texts.get(value);
    if (known !== undefined) return known;
    const text = canonicalJson(describe(value));
    texts.set(value, text);
    return text;
  };
};

const hyperparametersText = memoizedText((hyperparameters: StageSpec['hyperparameters']) => hyperparameters);
const attackText = memoizedText(attackIdentity);
const datasetText = memoizedText((dataset: StageSpec['dataset']) => ({
  ...dataset,
  digest: datasets[dataset.name].digest,
}));

/**
 * The chain of a stage: the hash of everything except its length. `dataset` has only the sizes that this kind of stage reads (see
 * `outline.ts`). The hyperparameters of earlier stages count through `parent`.
 */
export const chainId = (stage: Omit<StageSpec, 'id' | 'chain' | 'epochs'>, engineVersion: string): string => {
  const { recipe, kind, seed, parent, attack, surrogates } = stage;
  // Canonical JSON, with sorted keys. Without surrogates the key is absent: identities that are older than surrogates stay valid.
  const made = `"attack":${attack ? attackText(attack) : 'null'},"dataset":${datasetText(stage.dataset)},"engine":${JSON.stringify(engineVersion)}`;
  const read = `"hyperparameters":${hyperparametersText(stage.hyperparameters)},"kind":"${kind}","parent":${parent === null ? 'null' : `"${parent}"`}`;
  const others = surrogates.length > 0 ? `,"surrogates":${canonicalJson(surrogates)}` : '';
  return sha256(
    `{${made},${read},"recipe":"${recipe}","seed":${seed}${others},"version":${recipes[recipe].version}}`,
  );
};

/** The identity of the stage of a chain that ends after `epochs`. */
export const stageId = (chain: string, epochs: number): string =>
  sha256(`{"chain":"${chain}","epochs":${epochs}}`);
