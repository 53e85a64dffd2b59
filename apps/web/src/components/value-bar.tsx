/**
 * A number and beside it a bar, for tables in which the numbers of a column are compared. `share`: the length of the bar, from 0 to 1. `label`:
 * the number as text.
 */
export const ValueBar = ({ share, label }: { readonly share: number; readonly label: string }) => (
  <span className="value-bar">
    <span className="number">{label}</span>
    <span className="progress" aria-hidden="true">
      <span style={{ width: `${100 * share}%`, background: 'var(--accent)' }} />
    </span>
  </span>
);
