import {
  coresText,
  type HyperparameterDeclaration,
  type HyperparameterName,
  hyperparameterDeclaration,
  hyperparameterOf,
  type Recipe,
  recipes,
  type Stage,
  type TrialDetail,
  totalUsage,
  usageText,
} from '@funnel/contracts';
import { CopyButton, Panel } from '../../components/controls.tsx';
import { Status } from '../../components/status.tsx';
import { client } from '../../data/api.ts';
import {
  attackTitle,
  formatBytes,
  formatCount,
  formatDuration,
  formatHyperparameter,
  plural,
  shortHash,
} from '../../format.ts';
import { modelPath, networksOf, networkTitle, weightsPath } from '../../model/networks.ts';
import { href } from '../../router.ts';

type Line = {
  readonly name: HyperparameterName;
  readonly meta: HyperparameterDeclaration;
  readonly value: unknown;
  readonly isDefault: boolean;
};

/** The hyperparameters of a trial, grouped by the first stage that reads them. */
const linesByStage = (trial: TrialDetail): { readonly kind: string; readonly lines: readonly Line[] }[] => {
  const recipe: Recipe = recipes[trial.recipe];
  const seen = new Set<string>();
  return recipe.stages.map(({ kind, reads, lengthOf }) => {
    const names = [...lengthOf, ...reads].filter((name) => !seen.has(name));
    for (const name of names) seen.add(name);
    const lines = names.map((name): Line => {
      const value = hyperparameterOf(trial, name);
      const meta = hyperparameterDeclaration(name);
      return { name, meta, value, isDefault: value === meta.default };
    });
    return { kind, lines };
  });
};

export const SpecPanel = ({ trial }: { readonly trial: TrialDetail }) => (
  <Panel
    title="Specification"
    note="Each hyperparameter is listed under the first stage that reads it. Bold: not the default. †: the paper does not print a value, so the value is our choice."
  >
    <div className="spec">
      {linesByStage(trial).map(({ kind, lines }) => (
        <section key={kind}>
          <h3>{kind}</h3>
          <dl>
            {lines.map(({ name, meta, value, isDefault }) => (
              <div key={name} title={meta.description.replaceAll('`', '')}>
                <dt>
                  {meta.title}
                  {meta.assumed ? ' †' : ''}
                </dt>
                <dd style={{ fontWeight: isDefault ? undefined : 680 }}>{formatHyperparameter(value)}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  </Panel>
);

const totalSeconds = (stages: readonly Stage[]): number =>
  stages.reduce((sum, stage) => sum + (stage.seconds ?? 0), 0);
const dividedSeconds = (stages: readonly Stage[]): number =>
  stages.reduce((sum, stage) => sum + (stage.seconds ?? 0) / Math.max(1, stage.sharedBy), 0);

const lengthText = (stage: Stage): string => {
  if (stage.attack !== null) return '';
  return stage.startEpoch > 0 ? `${stage.startEpoch + 1}–${stage.epochs}` : `1–${stage.epochs}`;
};

const cpuTitle = (usage: Stage['usage']): string =>
  usage
    ? `${formatDuration(usage.cpuSeconds)} of CPU time in ${formatDuration(usage.seconds)} of the trainer`
    : 'Not measured';

/** The use of the machine by all stages of the trial; empty when none was measured. */
const usageNote = (stages: readonly Stage[]): string => {
  const usage = totalUsage(stages.map((stage) => stage.usage));
  return usage === null ? '' : ` Their trainers used ${usageText(usage)} of memory.`;
};

export const CostPanel = ({ trial }: { readonly trial: TrialDetail }) => {
  const { stages } = trial;
  const shared = stages.filter(({ sharedBy }) => sharedBy > 1).length;
  return (
    <Panel
      title="Cost"
      note={`${formatDuration(totalSeconds(stages))} of work, or ${formatDuration(dividedSeconds(stages))} if shared work is divided among its trials. ${shared} of ${plural(stages.length, 'stage')} ${shared === 1 ? 'is' : 'are'} shared.${usageNote(stages)}`}
      flush
    >
      <div className="table-wrap">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Stage</th>
              <th scope="col">Status</th>
              <th scope="col" className="number">
                Epochs
              </th>
              <th scope="col" className="number">
                Time
              </th>
              <th scope="col" className="number">
                Cores
              </th>
              <th scope="col" className="number">
                Memory
              </th>
              <th scope="col" className="number">
                Shared by
              </th>
            </tr>
          </thead>
          <tbody>
            {stages.map((stage) => (
              <tr key={stage.id} title={stage.error?.message}>
                <th scope="row">
                  <a href={href(['sweeps', trial.sweepId, 'stages'], { stage: stage.id })}>
                    {stage.attack === null ? stage.kind : attackTitle(stage.attack)}
                  </a>
                </th>
                <td>
                  <Status status={stage.status} />
                </td>
                <td className="number">{lengthText(stage)}</td>
                <td className="number">{formatDuration(stage.seconds)}</td>
                <td className="number" title={cpuTitle(stage.usage)}>
                  {stage.usage ? coresText(stage.usage) : '–'}
                </td>
                <td className="number">{formatBytes(stage.usage?.peakBytes)}</td>
                <td className="number">
                  {stage.sharedBy === 1 ? 'this trial only' : formatCount(stage.sharedBy)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {stages
        .filter(({ error }) => error !== null)
        .map((stage) => (
          <p key={stage.id} className="field-error" style={{ padding: '8px 18px' }}>
            {stage.kind}: {stage.error!.message}
          </p>
        ))}
    </Panel>
  );
};

export const CheckpointsPanel = ({ trial }: { readonly trial: TrialDetail }) => {
  const stored = trial.stages.filter(({ checkpoint, kind }) => checkpoint !== null && kind !== 'attack');
  return (
    <Panel title="Checkpoints" note="To open a network, call tf.loadLayersModel(address).">
      {stored.length === 0 ? <p className="muted">No checkpoint is stored yet.</p> : null}
      <div className="stack">
        {stored.map((stage) => (
          <section key={stage.id}>
            <h3>
              After {stage.kind}, {plural(stage.epochs, 'epoch')}{' '}
              <code className="muted small">{shortHash(stage.checkpoint!)}</code>
            </h3>
            <ul className="networks">
              {networksOf(stage).map((network) => (
                <li key={network} className="row">
                  <span>{networkTitle(stage.recipe, network)}</span>
                  <a href={client.urlOf(modelPath(stage.checkpoint!, network))} download={`${network}.json`}>
                    topology
                  </a>
                  <a href={client.urlOf(weightsPath(stage.checkpoint!, network))} download={`${network}.bin`}>
                    weights
                  </a>
                  <CopyButton
                    title="Copy address"
                    text={() => client.urlOf(modelPath(stage.checkpoint!, network))}
                  />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Panel>
  );
};
