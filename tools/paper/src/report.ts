/** A document in Markdown, and the figures that it shows: files beside it. */
import type { Figure } from '@funnel/figures';

export type Report = { readonly text: string; readonly figures: readonly Figure[] };
