import { normTitles } from '@funnel/contracts';
import { Panel } from '../../components/panel.tsx';
import { Segmented } from '../../components/segmented.tsx';
import { formatNumber } from '../../format.ts';
import type { AttackChoice } from '../../model/attack-image.ts';

const most = { linf: 0.5, l2: 6 };
const pgdSteps = 20;

export const AttackControls = ({
  choice,
  onChange,
}: {
  readonly choice: AttackChoice;
  readonly onChange: (choice: AttackChoice) => void;
}) => (
  <Panel title="Attack">
    <div className="attack-controls">
      <div className="row">
        <Segmented
          label="Attack"
          value={choice.steps === 1 ? 'fgsm' : 'pgd'}
          options={[
            { value: 'pgd', title: `PGD, ${pgdSteps} steps` },
            { value: 'fgsm', title: 'FGSM, one step' },
          ]}
          onChange={(value) => onChange({ ...choice, steps: value === 'fgsm' ? 1 : pgdSteps })}
        />
        <Segmented
          label="Norm"
          value={choice.norm}
          options={[
            { value: 'linf', title: normTitles.linf },
            { value: 'l2', title: normTitles.l2 },
          ]}
          // The same share of the slider in the other norm.
          onChange={(norm) =>
            onChange({ ...choice, norm, epsilon: (choice.epsilon / most[choice.norm]) * most[norm] })
          }
        />
      </div>
      <label className="label">
        <span>
          ε = <output>{formatNumber(choice.epsilon)}</output>{' '}
          {choice.norm === 'linf' ? 'largest change of a pixel' : 'L2 norm of the whole change'}
        </span>
        <input
          type="range"
          min={0}
          max={most[choice.norm]}
          step={most[choice.norm] / 100}
          value={choice.epsilon}
          aria-label="ε"
          onChange={(event) => onChange({ ...choice, epsilon: Number(event.target.value) })}
        />
      </label>
    </div>
  </Panel>
);
