/** What the model decides about the original and the attacked image, and whether that is right. */
import { isMistake, noClass } from '@funnel/contracts';
import type { ReactNode } from 'react';

type Labels = {
  readonly clean: number;
  readonly attacked: number;
  /** The class of the image; null where it is not known. */
  readonly truth: number | null;
};

/** The attack moves the image away from the class that the model sees, so it may turn a wrong decision into the right one. */
const wrongBefore = ({ clean, attacked }: Labels, truth: number, name: (label: number) => ReactNode) => (
  <>
    Wrong before the attack: the label is {name(truth)}, the model says {name(clean)}.{' '}
    {isMistake(attacked, clean) ? (
      <>
        The attack changes that to {name(attacked)}
        {isMistake(attacked, truth) ? '' : ', which is right'}.
      </>
    ) : (
      'The attack does not change that.'
    )}{' '}
    Evaluations count this image as a mistake, not as fooled.
  </>
);

const describe = (labels: Labels, name: (label: number) => ReactNode): ReactNode => {
  const { clean, attacked, truth } = labels;
  if (clean === noClass || attacked === noClass)
    return 'No decision: the output of the model is not a number here.';
  if (truth !== null && isMistake(clean, truth)) return wrongBefore(labels, truth, name);
  const right = truth === null ? '' : ', which is right';
  return isMistake(attacked, clean) ? (
    <>
      The decision changes: {name(clean)}
      {right && `${right},`} becomes {name(attacked)}.
    </>
  ) : (
    <>
      The decision holds: {name(clean)}
      {right}.
    </>
  );
};

export const Decision = ({ classes, ...labels }: Labels & { readonly classes: readonly string[] }) => {
  const { clean, attacked, truth } = labels;
  const isWrong = isMistake(attacked, clean) || (truth !== null && isMistake(clean, truth));
  return (
    <p className="verdict-line" data-fooled={isWrong ? '' : undefined}>
      {describe(labels, (label) => (
        <strong>{classes[label]}</strong>
      ))}
    </p>
  );
};
