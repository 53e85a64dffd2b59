/** Places and labels of the stages in the tree. One column per kind that there is; the height of a stage is the sum of its children's heights. */
import { type Stage, StageKind } from '@funnel/contracts';
import { attackLabel, formatHyperparameter, hyperparameterTitle, plural } from '../../format.ts';

export type TreeNode = {
  readonly stage: Stage;
  /** The place of its kind among those of the tree. */
  readonly column: number;
  /** The number of columns that it fills: without an optimisation, `initialise` fills two. */
  readonly span: number;
  /** Share of the picture's height, 0 at the top. */
  readonly y0: number;
  readonly y1: number;
  readonly parent: TreeNode | null;
  readonly children: TreeNode[];
};

/** The kinds that these stages have, in the order of training. */
export const kindsOf = (stages: readonly Pick<Stage, 'kind'>[]): readonly Stage['kind'][] => {
  const found = new Set(stages.map(({ kind }) => kind));
  return StageKind.options.filter((kind) => found.has(kind));
};

const byValue = (a: unknown, b: unknown): number =>
  a === b ? 0 : typeof a === 'number' && typeof b === 'number' ? a - b : String(a) < String(b) ? -1 : 1;

/** Orders siblings by recipe, seed and hyperparameters; in one chain, the shorter stage comes first. */
const inOrder = (a: Stage, b: Stage): number => {
  if (a.recipe !== b.recipe) return a.recipe < b.recipe ? 1 : -1;
  if (a.seed !== b.seed) return a.seed - b.seed;
  for (const [name, value] of Object.entries(a.hyperparameters)) {
    const order = byValue(value, b.hyperparameters[name]);
    if (order !== 0) return order;
  }
  return a.chain === b.chain ? a.epochs - b.epochs : 0;
};

/**
 * Places all stages; parents come before their children. A stage whose parent is missing becomes a root, so the tree can be drawn
 * while pages are still loading.
 */
export const layoutStages = (stages: readonly Stage[]): TreeNode[] => {
  const kinds = kindsOf(stages);
  const columnOf = (stage: Stage): number => kinds.indexOf(stage.kind);
  const known = new Set(stages.map((stage) => stage.id));
  const childrenOf = new Map<string | null, Stage[]>();
  for (const stage of stages) {
    const parent = stage.parent !== null && known.has(stage.parent) ? stage.parent : null;
    const siblings = childrenOf.get(parent);
    if (siblings) siblings.push(stage);
    else childrenOf.set(parent, [stage]);
  }
  const weights = new Map<string, number>();
  const weigh = (stage: Stage): number => {
    const weight = Math.max(
      1,
      (childrenOf.get(stage.id) ?? []).reduce((sum, child) => sum + weigh(child), 0),
    );
    weights.set(stage.id, weight);
    return weight;
  };
  const roots = (childrenOf.get(null) ?? []).sort(inOrder);
  const total = roots.reduce((sum, root) => sum + weigh(root), 0);

  const nodes: TreeNode[] = [];
  const place = (stage: Stage, from: number, parent: TreeNode | null): TreeNode => {
    const own = (childrenOf.get(stage.id) ?? []).sort(inOrder);
    const column = columnOf(stage);
    const next = Math.min(...own.map(columnOf), kinds.length);
    const span = own.length === 0 ? 1 : Math.max(1, next - column);
    const node: TreeNode = {
      stage,
      column,
      span,
      y0: from / total,
      y1: (from + weights.get(stage.id)!) / total,
      parent,
      children: [],
    };
    nodes.push(node);
    let at = from;
    for (const child of own) {
      node.children.push(place(child, at, node));
      at += weights.get(child.id)!;
    }
    return node;
  };
  let at = 0;
  for (const root of roots) {
    place(root, at, null);
    at += weights.get(root.id)!;
  }
  return nodes;
};

/** For each kind, the hyperparameters that differ between its stages. Labels show these. */
export const varyingHyperparameters = (
  stages: readonly Stage[],
): ReadonlyMap<Stage['kind'], readonly string[]> => {
  const seen = new Map<Stage['kind'], Map<string, Set<unknown>>>();
  for (const stage of stages) {
    const kind = seen.get(stage.kind) ?? new Map<string, Set<unknown>>();
    seen.set(stage.kind, kind);
    for (const [name, value] of Object.entries({
      recipe: stage.recipe,
      ...stage.hyperparameters,
      seed: stage.seed,
      epochs: stage.epochs,
    })) {
      const values = kind.get(name) ?? new Set();
      kind.set(name, values.add(value));
    }
  }
  return new Map(
    [...seen].map(([kind, hyperparameters]) => [
      kind,
      [...hyperparameters].filter(([, values]) => values.size > 1).map(([name]) => name),
    ]),
  );
};

/** Fields of every stage that are not hyperparameters. */
const stageFields = new Set(['recipe', 'seed', 'epochs']);

const formatField = (stage: Stage, name: string): string => {
  if (name === 'recipe') return stage.recipe;
  if (name === 'epochs') return plural(stage.epochs, 'epoch');
  if (name === 'seed') return `seed ${stage.seed}`;
  return `${hyperparameterTitle(name)} ${formatHyperparameter(stage.hyperparameters[name])}`;
};

/** Attack or hyperparameters of a stage, as far as they differ within its kind. */
export const stageLabel = (stage: Stage, varying: readonly string[]): string => {
  if (stage.attack !== null) return attackLabel(stage.attack);
  const fields = varying.filter((name) => stageFields.has(name) || name in stage.hyperparameters);
  const parts = fields.map((name) => formatField(stage, name));
  return parts.length === 0 ? plural(stage.epochs, 'epoch') : parts.join(' · ');
};

/** The tooltip of a stage. */
export const stageTip = (stage: Stage, varying: readonly string[]): string => {
  const done =
    stage.status === 'running' && stage.position !== null && stage.epochs > 0
      ? `, epoch ${stage.position.epoch} of ${stage.epochs}`
      : '';
  const shared = stage.sharedBy > 1 ? `\nshared by ${plural(stage.sharedBy, 'trial')} of all sweeps` : '';
  return `${stage.kind}: ${stageLabel(stage, varying)}\n${stage.status}${done}${shared}`;
};
