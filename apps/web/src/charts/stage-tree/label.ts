import type { Stage } from '@funnel/contracts';
import { attackLabel } from '../../attack-label.ts';
import { formatCount, formatHyperparameter, hyperparameterTitle } from '../../format.ts';

/** What every stage has besides its hyperparameters. */
const ownFields = new Set(['recipe', 'seed', 'epochs']);

const write = (stage: Stage, name: string): string => {
  if (name === 'recipe') return stage.recipe;
  if (name === 'epochs') return `${formatCount(stage.epochs)} epochs`;
  if (name === 'seed') return `seed ${stage.seed}`;
  return `${hyperparameterTitle(name)} ${formatHyperparameter(stage.hyperparameters[name])}`;
};

/** What tells this stage from the others of its kind. */
export const stageLabel = (stage: Stage, varying: readonly string[]): string => {
  if (stage.attack !== null) return attackLabel(stage.attack);
  const own = varying.filter((name) => ownFields.has(name) || name in stage.hyperparameters);
  const parts = own.map((name) => write(stage, name));
  return parts.length === 0 ? `${formatCount(stage.epochs)} epochs` : parts.join(' · ');
};

/** Two lines for a tip. */
export const stageTip = (stage: Stage, varying: readonly string[]): string => {
  const done =
    stage.status === 'running' && stage.position !== null && stage.epochs > 0
      ? `, epoch ${stage.position.epoch} of ${stage.epochs}`
      : '';
  const shared = stage.sharedBy > 1 ? `\nshared by ${formatCount(stage.sharedBy)} trials of all sweeps` : '';
  return `${stage.kind}: ${stageLabel(stage, varying)}\n${stage.status}${done}${shared}`;
};
