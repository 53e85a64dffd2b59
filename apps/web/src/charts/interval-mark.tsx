/** A value with its interval on a small axis from `low` to `high`: rows of a table can be compared by eye. Infinity is at its end. */
export const IntervalMark = (props: {
  readonly value: number;
  readonly interval: readonly [number, number] | null;
  readonly low: number;
  readonly high: number;
  readonly hollow?: boolean;
  readonly label: string;
}) => {
  const { value, interval, low, high } = props;
  const share = (v: number) => (high === low ? 0.5 : Math.max(0, Math.min(1, (v - low) / (high - low))));
  const at = (v: number) => 4 + 112 * share(v);
  const tone = props.hollow ? 'var(--muted)' : 'var(--accent)';
  return (
    <svg
      width="120"
      height="16"
      viewBox="0 0 120 16"
      role="img"
      aria-label={props.label}
      style={{ verticalAlign: -3 }}
    >
      <path d="M4 8H116" stroke="var(--line)" />
      {interval ? (
        <path
          d={`M${at(interval[0])} 8H${at(interval[1])}`}
          stroke={tone}
          strokeWidth="2.4"
          strokeOpacity="0.45"
        />
      ) : null}
      <circle
        cx={at(value)}
        cy="8"
        r="3.6"
        fill={props.hollow ? 'var(--surface)' : tone}
        stroke={tone}
        strokeWidth="1.6"
      />
    </svg>
  );
};
