/** What the checks of one or several evaluations say together. */
import { plural } from '../text.ts';
import { type Diagnostic, diagnostics, worstVerdict } from './diagnostics.ts';

/** Ends the detail of a check that could find nothing on its images, whatever the model. */
export const nothingHere = ', so this check says nothing here.';

/** Whether a check could not find anything: it did not run, or its images leave nothing to find. */
export const saysNothing = ({ value, detail }: Diagnostic): boolean =>
  value === null || detail.endsWith(nothingHere);

/** What a check found, in a few words: its problem where it raises a flag, and what holds where it does not. */
export const checkHeading = (check: Diagnostic): string => {
  const { name, title } = diagnostics[check.id];
  if (check.verdict !== 'ok') return `${name[0]!.toUpperCase()}${name.slice(1).replaceAll('-', ' ')}`;
  return saysNothing(check) ? 'Says nothing here' : title;
};

/**
 * Each check once, with its worst finding; of those without a flag, the first that says something. The evaluations of a trial have the same
 * checks on the same images, at one ε or at several, so four attacks do not make four times as many checks.
 */
export const eachCheck = (
  evaluations: readonly { readonly diagnostics: readonly Diagnostic[] }[],
): readonly Diagnostic[] => {
  const worst = new Map<string, Diagnostic>();
  for (const check of evaluations.flatMap(({ diagnostics }) => diagnostics)) {
    const known = worst.get(check.id);
    const isWorse = known && worstVerdict([known.verdict, check.verdict]) !== known.verdict;
    const saysMore = known?.verdict === check.verdict && saysNothing(known) && !saysNothing(check);
    if (!known || isWorse || saysMore) worst.set(check.id, check);
  }
  return [...worst.values()];
};

/** `6 say nothing`. */
const silentCount = (count: number): string => `${count} ${count === 1 ? 'says' : 'say'} nothing`;

/** `6 say nothing (H1, H2): PGD fools all 50 images at L∞ 0.3`, for each reason. */
const silentTexts = (checks: readonly Diagnostic[]): readonly string[] => {
  const byReason = new Map<string, string[]>();
  for (const { id, detail } of checks) {
    const reason = detail.endsWith(nothingHere)
      ? detail.slice(0, -nothingHere.length)
      : detail.replace(/\.$/, '');
    byReason.set(reason, [...(byReason.get(reason) ?? []), id]);
  }
  return [...byReason].map(([reason, ids]) => `${silentCount(ids.length)} (${ids.join(', ')}): ${reason}`);
};

/**
 * `1 check raises a flag; 12 checks without a flag; 6 say nothing (H1, …): PGD fools all 50 images at L∞ 0.3.` In brief, without reasons:
 * `1 check raises a flag; 12 checks without a flag; 6 say nothing`.
 */
export const checksText = (checks: readonly Diagnostic[], { isBrief = false } = {}): string => {
  if (checks.length === 0) return 'No check was computed.';
  const flagged = checks.filter(({ verdict }) => verdict !== 'ok').length;
  const silent = checks.filter((check) => check.verdict === 'ok' && saysNothing(check));
  const texts = [
    ...(flagged === 0 ? [] : [`${plural(flagged, 'check')} ${flagged === 1 ? 'raises' : 'raise'} a flag`]),
    `${plural(checks.length - flagged - silent.length, 'check')} without a flag`,
    ...(!isBrief ? silentTexts(silent) : silent.length > 0 ? [silentCount(silent.length)] : []),
  ];
  return `${texts.join('; ')}${isBrief ? '' : '.'}`;
};
