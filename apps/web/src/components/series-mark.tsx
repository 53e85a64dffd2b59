import { dashes } from '../charts/colours.ts';

/** The colour and dash that a chosen trial has in every picture. */
export const SeriesMark = ({ colour }: { readonly colour: number }) => (
  <svg width="22" height="8" viewBox="0 0 22 8" aria-hidden="true" style={{ flex: 'none' }}>
    <path
      d="M1 4H21"
      stroke={`var(--series-${(colour % 6) + 1})`}
      strokeWidth="3"
      strokeDasharray={dashes[colour % 6]!.join(' ')}
    />
  </svg>
);
