/** What was measured for each of the compared trials. */
import {
  apartText,
  type Evaluation,
  evaluationMetrics,
  lettersText,
  type TrialDetail,
  threatModelText,
  usualMetric,
  usualMetricAmong,
  wilsonInterval,
  withinText,
} from '@funnel/contracts';
import { SeriesMark } from '../../charts/marks.tsx';
import { Panel } from '../../components/controls.tsx';
import { Status, Verdict } from '../../components/status.tsx';
import { UnfinishedWarmups } from '../../components/unfinished-warmups.tsx';
import { attackLabel, formatDuration, inSentence, keyOfRun } from '../../format.ts';
import { href } from '../../router.ts';
import { betterOf } from '../../statistics/objective.ts';
import { rejects } from '../trial/evaluations-panels.tsx';
import {
  type Cell,
  cleanCell,
  columnsStyle,
  percentCell,
  Row,
  strengthCell,
  trialName,
  worstCell,
} from './compare-row.tsx';

/** The row that ranks the trials, and whether its differences are more than chance. */
const WorstCaseRows = (props: {
  readonly trials: readonly TrialDetail[];
  readonly letters: readonly (string | null)[];
}) => {
  const { trials, letters } = props;
  if (trials.every(({ worstCase }) => worstCase === null)) return null;
  const metric = usualMetricAmong(
    trials.flatMap(({ evaluations }) => evaluations),
    undefined,
  );
  const within = trials.map(({ worstCase }) => (worstCase ? withinText(worstCase.within, metric) : null));
  const texts = [...new Set(within.filter((text) => text !== null))];
  const cells = trials.map((trial, i): Cell => {
    const cell = worstCell(trial, metric);
    return texts.length === 1 ? cell : { ...cell, note: `${cell.note ?? ''}${within[i] ?? ''}` };
  });
  return (
    <>
      <Row
        title={`Worst case over all attacks: ${inSentence(evaluationMetrics[metric].title)}${texts.length === 1 ? texts[0] : ''}`}
        better={texts.length === 1 ? betterOf(metric) : null}
        cells={cells}
      />
      {letters.some((letter) => letter !== null) ? (
        <tr title={apartText(letters) ?? undefined}>
          <th scope="row">Letters</th>
          {letters.map((letter, i) => (
            <td key={i}>{letter === null ? '–' : lettersText(letter)}</td>
          ))}
        </tr>
      ) : null}
    </>
  );
};

/** Attacks that look for the smallest change have their robust accuracy at the ε that a trial names. */
const AtEpsilonRow = (props: {
  readonly trials: readonly TrialDetail[];
  readonly run: Evaluation;
  readonly of: (trial: TrialDetail) => Evaluation | undefined;
}) => {
  const found = props.trials.map(props.of);
  const [first, ...others] = [
    ...new Set(
      found.flatMap((one) =>
        one?.robustAtEpsilon
          ? [threatModelText({ [one.robustAtEpsilon.norm]: one.robustAtEpsilon.epsilon })]
          : [],
      ),
    ),
  ];
  if (first === undefined) return null;
  const isSame = others.length === 0;
  return (
    <Row
      title={`Robust accuracy at ${isSame ? first : 'the ε of each trial'}, ${attackLabel(props.run)}`}
      better={isSame ? 'max' : null}
      cells={found.map((one) => {
        const at = one?.robustAtEpsilon;
        if (!one || !at) return percentCell(null);
        const cell = percentCell(at.accuracy, wilsonInterval(at.robust, one.summary.images));
        const ball = isSame ? '' : ` at ${threatModelText({ [at.norm]: at.epsilon })}`;
        return { ...cell, note: `${at.robust} of ${one.summary.images}, ${cell.note}${ball}` };
      })}
    />
  );
};

const costOf = (trial: TrialDetail): number =>
  trial.stages.reduce((sum, stage) => sum + (stage.seconds ?? 0) / Math.max(1, stage.sharedBy), 0);

type EvaluationOf = (trial: TrialDetail, key: string) => Evaluation | undefined;

/** The rejected shares, if one of the trials rejects images. A defence should reject few clean images, and many attacked ones. */
const Rejections = (props: {
  readonly trials: readonly TrialDetail[];
  readonly runs: ReadonlyMap<string, Evaluation>;
  readonly of: EvaluationOf;
}) => {
  const { trials, runs, of } = props;
  if (!trials.some(rejects)) return null;
  return (
    <>
      <Row
        title="Rejected clean"
        better="min"
        cells={trials.map(({ evaluations }) => percentCell(evaluations[0]?.summary.rejectedClean ?? null))}
      />
      {[...runs].map(([key, run]) => (
        <Row
          key={key}
          title={`Rejected under attack, ${attackLabel(run)}`}
          better={null}
          cells={trials.map((trial) => percentCell(of(trial, key)?.summary.rejectedAttacked ?? null))}
        />
      ))}
    </>
  );
};

export const CompareResults = (props: {
  readonly trials: readonly TrialDetail[];
  /** See `letters` of the answer. */
  readonly letters: readonly (string | null)[];
  readonly onLeaveOut: ((id: string) => void) | null;
}) => {
  const { trials } = props;
  const apart = apartText(props.letters);
  const runs = new Map<string, Evaluation>();
  for (const { evaluations } of trials)
    for (const evaluation of evaluations) runs.set(keyOfRun(evaluation), evaluation);
  const of: EvaluationOf = (trial, key) =>
    trial.evaluations.find((evaluation) => keyOfRun(evaluation) === key);
  return (
    <Panel
      title="Results"
      note="The best value of a row is bold. Accuracies and distances have their 95% intervals. Attacks that look for the smallest change are compared by the size of that change. Noise levels have no best value: each is a mean over the images that fell, and these are other images for each trial."
      flush
    >
      <div className="table-wrap">
        <table className="table compare" style={columnsStyle(trials.length)}>
          <thead>
            <tr>
              <td />
              {trials.map((trial, i) => (
                <th key={trial.id} scope="col">
                  <span className="row" style={{ gap: 6, flexWrap: 'nowrap' }}>
                    <SeriesMark colour={i} />
                    <a href={href(['trials', trial.id])}>{trialName(trial, trials)}</a>
                    {props.onLeaveOut ? (
                      <button
                        type="button"
                        className="button"
                        data-kind="quiet"
                        data-size="small"
                        aria-label={`Leave out ${trialName(trial, trials)}`}
                        onClick={() => props.onLeaveOut?.(trial.id)}
                      >
                        ×
                      </button>
                    ) : null}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">Status</th>
              {trials.map((trial) => (
                <td key={trial.id}>
                  <Status status={trial.status} />
                </td>
              ))}
            </tr>
            <tr>
              <th scope="row">Checks</th>
              {trials.map((trial) => (
                <td key={trial.id}>{trial.verdict === null ? '–' : <Verdict verdict={trial.verdict} />}</td>
              ))}
            </tr>
            <Row title="Clean accuracy" better="max" cells={trials.map(cleanCell)} />
            <WorstCaseRows trials={trials} letters={props.letters} />
            {[...runs].map(([key, run]) => (
              <AtEpsilonRow key={`at/${key}`} trials={trials} run={run} of={(trial) => of(trial, key)} />
            ))}
            {[...runs].map(([key, run]) => (
              <Row
                key={key}
                title={`${evaluationMetrics[usualMetric(run)].title}, ${attackLabel(run)}`}
                better={betterOf(usualMetric(run))}
                cells={trials.map((trial) => strengthCell(of(trial, key), usualMetric(run)))}
              />
            ))}
            <Rejections trials={trials} runs={runs} of={of} />
            {[...runs].map(([key, run]) => (
              <Row
                key={`noise/${key}`}
                title={`Noise level, ${attackLabel(run)}`}
                better={betterOf('noiseLevel')}
                cells={trials.map((trial) => strengthCell(of(trial, key), 'noiseLevel'))}
              />
            ))}
            <Row
              title="Time, with shared stages divided among their trials"
              better="min"
              cells={trials.map((trial) => ({ value: costOf(trial), text: formatDuration(costOf(trial)) }))}
            />
          </tbody>
        </table>
      </div>
      {apart === null ? null : <p className="muted small panel-body">{apart}</p>}
      <UnfinishedWarmups
        runs={trials.map((trial) => ({ ...trial, trialId: trial.id }))}
        className="muted small panel-body"
      />
    </Panel>
  );
};
