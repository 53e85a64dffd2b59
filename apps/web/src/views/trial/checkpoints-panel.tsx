import type { TrialDetail } from '@funnel/contracts';
import { CopyButton } from '../../components/copy-button.tsx';
import { Panel } from '../../components/panel.tsx';
import { client } from '../../data/api.ts';
import { shortHash } from '../../format.ts';
import { modelPath, networksOf, networkTitles, weightsPath } from '../../model/networks.ts';

export const CheckpointsPanel = ({ trial }: { readonly trial: TrialDetail }) => {
  const stored = trial.stages.filter(({ checkpoint, kind }) => checkpoint !== null && kind !== 'attack');
  return (
    <Panel title="Checkpoints" note="Each network opens with tf.loadLayersModel(address).">
      {stored.length === 0 ? <p className="muted">None is stored yet.</p> : null}
      <div className="stack">
        {stored.map((stage) => (
          <section key={stage.id}>
            <h3>
              After {stage.kind}, {stage.epochs} epochs{' '}
              <code className="muted small">{shortHash(stage.checkpoint!)}</code>
            </h3>
            <ul className="networks">
              {networksOf(stage).map((network) => (
                <li key={network} className="row">
                  <span style={{ flex: 1 }}>{networkTitles[network]}</span>
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
