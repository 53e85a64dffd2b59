/** Stands in a table for the rows that are out of sight. */
export const SpacerRow = ({ height }: { readonly height: number }) =>
  height > 0 ? <tr className="spacer" style={{ height }} /> : null;
