/** Sentences on a reproduction sweep. A sentence appears only if the numbers support it. */
import { wilsonInterval } from '@funnel/attacks/statistics';
import { checkLabel, plural } from '@funnel/contracts';
import { list, percent } from '../format.ts';
import type { SweepResults } from '../results.ts';
import { type Effect, isClear } from './effects.ts';
import { agreements, isRanked, isUntrained, type Setting } from './settings.ts';
import { heightOf, isSlow, riseOf, type SlowPair, slowPairs } from './slowness.ts';

const names = (settings: readonly Setting[]): string =>
  settings.length > 10
    ? `${list(settings.slice(0, 10).map(({ number }) => String(number)))} and ${settings.length - 10} more`
    : list(settings.map(({ number }) => String(number)));

const agreement = (settings: readonly Setting[]): string[] => {
  const rows = settings[0]!.nearness.rows.length;
  const most = Math.max(...settings.map(agreements));
  const best = settings.filter((setting) => agreements(setting) === most);
  const all =
    most === rows
      ? `**${plural(best.length, 'setting')} of ${settings.length} ${best.length === 1 ? 'agrees' : 'agree'} with all ${rows} printed rows**: ${names(best)}.`
      : `**None of ${plural(settings.length, 'setting')} agrees with all ${rows} printed rows.** The most rows that one setting agrees with are ${most} (${best.length === 1 ? 'setting' : 'settings'} ${names(best)}).`;
  const never = settings[0]!.nearness.rows.flatMap(({ name, row }, i) =>
    row !== null && settings.every(({ nearness }) => !nearness.rows[i]!.agrees) ? [name] : [],
  );
  const none =
    never.length === 0
      ? []
      : [
          `No setting agrees with ${never.length === 1 ? 'this printed row' : 'these printed rows'}: ${list(never)}.`,
        ];
  return [all, ...none];
};

const nearest = ([first]: readonly Setting[]): string[] => {
  if (first?.nearness.value == null) return [];
  return [
    `The nearest setting has a nearness of ${first.nearness.value.toFixed(2)}: on average its odds of success are a factor of ${Math.exp(first.nearness.value).toFixed(1)} away from the printed ones.`,
  ];
};

const unranked = (settings: readonly Setting[], sweeps: readonly SweepResults[]): string[] => {
  const without = settings.filter((setting) => !isRanked(setting));
  const untrained = settings.filter(isUntrained);
  const trials = sweeps.flatMap(({ results }) => results.map(({ trial }) => trial.status));
  const ended = trials.filter((status) => status !== 'completed');
  return [
    ...(untrained.length > 0
      ? [
          `In ${untrained.length} of ${plural(settings.length, 'setting')} the clean accuracy may be that of guesses (verdict untrained). These settings come after the others: ${names(untrained)}.`,
        ]
      : []),
    ...(without.length > 0
      ? [
          `${plural(without.length, 'setting has', 'settings have')} no result in at least one printed row, and therefore no nearness and no place among the nearest: ${names(without)}.`,
        ]
      : []),
    ...(ended.length > 0
      ? [
          `${ended.length} of ${plural(trials.length, 'trial')} did not complete (${list([...new Set(ended)].map((status) => `${ended.filter((one) => one === status).length} ${status}`))}). The numbers leave them out.`,
        ]
      : []),
  ];
};

/** Which checks flagged the network of a setting, and what the worst of them says. */
const judged = ({ configuration: { verdict, findings } }: Setting): string => {
  if (verdict === null) return 'not examined';
  const labels = [...new Set(findings.map(({ check }) => checkLabel(check.id)))];
  return labels.length === 0 ? `every check is ok` : `the checks call it ${verdict}: ${labels.join(', ')}`;
};

const slowness = (settings: readonly Setting[], pair: SlowPair): string[] => {
  const rises = settings.flatMap((setting) => {
    const rise = riseOf(setting.configuration, pair);
    return rise === null ? [] : [{ setting, rise }];
  });
  if (rises.length === 0) return [];
  const rule = `below ${percent(pair.below)} in “${pair.few}” and at least ${percent(pair.atLeast)} in “${pair.many}”`;
  const text = ({ setting, rise }: (typeof rises)[number]): string =>
    `setting ${setting.number} (${percent(rise.few.success.mean)} → ${percent(rise.many.success.mean)}; ${judged(setting)})`;
  const slow = rises.filter(({ rise }) => isSlow(rise, pair));
  if (slow.length > 0)
    return [
      `**DeepFool ${pair.norm} is as slow as printed in ${slow.length} of ${plural(rises.length, 'setting')}** (${rule}): ${list(slow.slice(0, 10).map(text))}${slow.length > 10 ? ` and ${slow.length - 10} more` : ''}.`,
    ];
  const steepest = rises.reduce((best, one) => (heightOf(one.rise) > heightOf(best.rise) ? one : best));
  return [
    `**DeepFool ${pair.norm} is as slow as printed in none of ${plural(rises.length, 'setting')}** (${rule}).${heightOf(steepest.rise) > 0 ? ` The greatest rise with more steps is in ${text(steepest)}.` : ' In no setting do more steps find more.'}`,
  ];
};

/** A constraint that was active on a smaller share of steps cannot have changed much. */
const hardlyActive = 0.05;

const hinge = (settings: readonly Setting[]): string[] => {
  const active = settings.flatMap(({ configuration }) => configuration.hinge?.mean ?? []);
  const idle = active.filter((share) => share < hardlyActive);
  return idle.length === 0
    ? []
    : [
        `In ${idle.length} of ${plural(active.length, 'setting')} the constraint was active on fewer than ${percent(hardlyActive)} of the steps, ${idle.filter((share) => share === 0).length === idle.length ? 'in fact on none' : 'so it changed little there'}.`,
      ];
};

const resolution = (settings: readonly Setting[]): string[] => {
  const counts = settings.flatMap(({ configuration }) =>
    configuration.rows.flatMap(({ measured }) => measured?.attempted ?? []),
  );
  if (counts.length === 0) return [];
  const least = Math.min(...counts);
  return [
    `The smallest number of attacked images is ${least}. When none of them is fooled, the true rate may still be up to ${percent(wilsonInterval(0, least)[1])}, so to agree with a printed rate below that means little.`,
  ];
};

const strongest = (effects: readonly Effect[]): string[] => {
  const attack = 'DeepFool L2, 50 steps';
  const here = effects.filter((effect) => effect.attack === attack);
  if (here.length === 0) return [];
  const lower = here.filter(({ difference }) => isClear(difference) && difference.mean < 0);
  if (lower.length === 0)
    return [`No choice lowers the success of ${attack} clearly: every 95 % interval reaches 0.`];
  const best = lower.reduce((a, b) => (b.difference.mean < a.difference.mean ? b : a));
  return [
    `The choice that lowers the success of ${attack} most is ${best.choice} ${best.value}: it multiplies the odds by ${Math.exp(best.difference.mean).toPrecision(2)}.`,
  ];
};

export const sentencesOf = (
  settings: readonly Setting[],
  effects: readonly Effect[],
  sweeps: readonly SweepResults[],
): string[] => [
  ...agreement(settings),
  ...nearest(settings),
  ...slowPairs.flatMap((pair) => slowness(settings, pair)),
  ...strongest(effects),
  ...hinge(settings),
  ...resolution(settings),
  ...unranked(settings, sweeps),
];
