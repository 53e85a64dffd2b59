import type { CSSProperties } from 'react';

/** Tells the style sheet how many trials stand side by side: all their tables have the same columns. */
export const columnsStyle = (trials: number): CSSProperties => ({ '--trials': trials }) as CSSProperties; // React's types know no own properties
