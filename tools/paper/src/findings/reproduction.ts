/** The part of the findings on a reproduction sweep: the nearest settings, which choice moves which row, and the slowness of DeepFool. */

import { plural } from '@funnel/contracts';
import type { Figure } from '@funnel/figures';
import { besidePaper, ran } from '../conditions.ts';
import { bullets, picture, table } from '../format.ts';
import { printedShare } from '../printed.ts';
import type { SweepResults } from '../results.ts';
import { assumptionsOf } from './assumptions.ts';
import { fullSizeCommand } from './at-full-size.ts';
import { type Effect, effectsOf, isClear, withoutMirrors } from './effects.ts';
import { drawEffects } from './heat-map.ts';
import { describeFullSize, describeNearest } from './nearest.ts';
import { sentencesOf } from './sentences.ts';
import { isRanked, isUntrained, type Setting, settingsOf } from './settings.ts';
import { drawStrips } from './strips.ts';

/** Of the nearest settings, and of the strongest effects. */
const shownSettings = 10;
const shownEffects = 20;

export type Reproduction = {
  readonly settings: readonly Setting[];
  readonly effects: readonly Effect[];
  readonly fullSize: readonly Setting[];
};

export const reproductionOf = (
  sweeps: readonly SweepResults[],
  fullSize: readonly SweepResults[],
): Reproduction => {
  const settings = settingsOf(sweeps);
  return {
    settings,
    // The success rate of a network that may guess says nothing about its choices.
    effects: effectsOf(
      settings.filter((setting) => !isUntrained(setting)).map(({ configuration }) => configuration),
    ),
    fullSize: settingsOf(fullSize),
  };
};

const rowsOf = (settings: readonly Setting[]): string =>
  table(
    ['row', 'printed', 'settings that agree', 'settings with a result'],
    settings[0]!.nearness.rows.map(({ name, printed }, i) => {
      const rows = settings.map(({ nearness }) => nearness.rows[i]!);
      return [
        name,
        printedShare(printed),
        String(rows.filter(({ agrees }) => agrees).length),
        String(rows.filter(({ row }) => row !== null).length),
      ];
    }),
    [1, 2, 3],
  );

const weight = ({ difference: { mean, halfWidth } }: Effect): number => Math.abs(mean) / (halfWidth ?? 0);

/** False where all settings have the same success rate, such as 100 %. */
const moves = ({ mean, halfWidth }: Effect['difference']): boolean => mean !== 0 || halfWidth !== 0;

const signed = (value: number): string => (value > 0 ? `+${value.toFixed(2)}` : value.toFixed(2));

const effectsText = (effects: readonly Effect[]): string => {
  const judged = withoutMirrors(effects).filter(
    ({ difference }) => difference.halfWidth !== null && moves(difference),
  );
  const clear = judged.filter(({ difference }) => isClear(difference));
  const shown = clear.toSorted((a, b) => weight(b) - weight(a)).slice(0, shownEffects);
  return [
    'An effect is the mean logit of the success rate over the settings with a value, minus that over all others, with Welch’s 95 % interval. +0.69 doubles the odds of success. The settings are random draws, so the other choices are spread alike over both groups. Of a choice between two values, the table has the first: the other one has the same effect with the other sign. Settings with the verdict untrained are left out ([decision 33](adr/0033-nearness-and-effects.md)).',
    '',
    `${plural(judged.length, 'effect has', 'effects have')} an interval, and ${clear.length} of these intervals do not contain 0. If no choice moved anything, about ${Math.round(0.05 * judged.length)} would not contain 0 by chance. So one such interval alone proves nothing.`,
    ...(shown.length > 0
      ? [
          '',
          `The ${shown.length} clearest, by the effect in half-widths of its interval:`,
          '',
          table(
            ['choice', 'value', 'settings', 'attack', 'effect', '95 % interval'],
            shown.map(({ choice, value, configurations, attack, difference: { mean, halfWidth } }) => [
              choice,
              value,
              String(configurations),
              attack,
              signed(mean),
              `${signed(mean - halfWidth!)} … ${signed(mean + halfWidth!)}`,
            ]),
            [2, 4, 5],
          ),
        ]
      : []),
  ].join('\n');
};

const fullSizeText = (
  { settings, fullSize }: Reproduction,
  sweeps: readonly SweepResults[],
): readonly string[] =>
  fullSize.length === 0
    ? []
    : [
        '## The nearest settings at the full size',
        ...sweeps.map((sweep) => ran(sweep, 'examples/reproduction.yaml')),
        describeFullSize(fullSize, settings),
        describeNearest(fullSize.slice(0, shownSettings), fullSize),
      ];

/** The sections, in order. */
export const reproductionSections = (
  data: Reproduction,
  sweeps: readonly SweepResults[],
  fullSize: readonly SweepResults[],
): { readonly sections: readonly string[]; readonly figures: readonly Figure[] } => {
  const { settings, effects } = data;
  const configurations = settings.map(({ configuration }) => configuration);
  const nearest = settings.filter(isRanked).slice(0, shownSettings);
  const again = fullSizeCommand(nearest, sweeps[0]!);
  const strips = drawStrips(settings, nearest, 'img/findings-rows.svg');
  const map = effects.length > 0 ? drawEffects(effects, 'img/findings-effects.svg') : null;
  return {
    figures: [strips, ...(map ? [map] : [])],
    sections: [
      '## The reproduction sweep',
      ...sweeps.map((sweep) => ran(sweep, 'examples/reproduction.yaml')),
      besidePaper(sweeps[0]!, configurations),
      '## What the numbers say',
      bullets(sentencesOf(settings, effects, sweeps)),
      picture(strips),
      rowsOf(settings),
      '## The nearest settings',
      '*Nearness* is the mean over the printed rows of the distance between the logit of our success rate and that of the printed one; 0 is equal. Our rate is (k + ½)/(n + 1) for k successes among the n attacked images of all seeds. A printed 100 % counts as (1000 + ½)/1001, and “near 100 %” as every rate from 95 %. Two of our rows that repeat one printed row count once, with the nearer one ([decision 33](adr/0033-nearness-and-effects.md)).',
      nearest.length > 0
        ? describeNearest(nearest, settings)
        : 'No setting has a result in every printed row.',
      ...(fullSize.length === 0 && again !== null
        ? [
            'This trains them at the sizes of the paper; `--full-size` puts the result beside them:',
            `\`\`\`sh\n${again}\n\`\`\``,
          ]
        : fullSizeText(data, fullSize)),
      ...(map === null ? [] : ['## Which choice moves which row', picture(map), effectsText(effects)]),
      '## What was assumed',
      bullets(assumptionsOf(configurations)),
    ],
  };
};
