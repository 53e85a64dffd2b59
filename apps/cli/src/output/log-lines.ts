/** Lines of a log as sentences for a person. Files and programs get the lines as JSON. */
import { formatDuration } from '@funnel/contracts';
import { formatSecond } from './format.ts';

/** The fields of pino and of the worker that a sentence puts into words. */
type Line = {
  readonly level?: number;
  /** Milliseconds since 1970. */
  readonly time?: number;
  readonly msg?: string;
  readonly error?: string;
  readonly err?: { readonly message?: string };
  readonly kind?: string;
  readonly stage?: string;
  readonly attempt?: number;
  readonly seconds?: number;
};

/** Pino's number for warnings; errors have greater ones. */
const warning = 40;

/** What happened, and why. */
export const sentenceOf = ({ msg, error, err }: Line): string => {
  const why = error ?? err?.message;
  return `${msg ?? 'something happened'}${why ? `: ${why}` : ''}`;
};

/** Fields that say nothing to the person in front of the worker, or that other parts of the line say. */
const said = new Set(
  'level time pid hostname part worker sweeps stage kind attempt fencingToken msg error err seconds'.split(
    ' ',
  ),
);

const detailsOf = (line: Line): readonly string[] => [
  ...Object.entries(line).flatMap(([name, value]) =>
    said.has(name) || !value || typeof value === 'object' ? [] : [`${name} ${value}`],
  ),
  ...(line.seconds === undefined ? [] : [formatDuration(line.seconds)]),
  ...((line.attempt ?? 1) > 1 ? [`attempt ${line.attempt}`] : []),
];

/** `15:52:38 attack c6adc09a: stage ended (status completed, 5 s)`; a warning or an error begins with `! `. */
export const describeLogLine = (text: string): string => {
  const line: Line = JSON.parse(text);
  const { level = 0, time, kind, stage } = line;
  const clock = time === undefined ? '' : `${formatSecond(new Date(time).toISOString()).slice(-8)} `;
  const where = stage === undefined ? '' : `${kind ?? 'stage'} ${stage.slice(0, 8)}: `;
  const details = detailsOf(line);
  return `${level >= warning ? '! ' : ''}${clock}${where}${sentenceOf(line)}${details.length > 0 ? ` (${details.join(', ')})` : ''}`;
};
