import type { Stage, StageLogLine } from '@funnel/contracts';
import { formatSecond } from './time.ts';

export type StageLog = { readonly stage: Stage; readonly lines: readonly StageLogLine[] };

const signs = { info: ' ', warn: '!', error: '✗' } as const;

const lineText = ({ at, attempt, level, message, detail }: StageLogLine): string => {
  const who = attempt === null ? '' : `attempt ${attempt} `;
  const stack = detail === null ? '' : `\n${detail.replaceAll(/^/gm, '      ')}`;
  return `${signs[level]} ${formatSecond(at)}  ${who}${message}${stack}`;
};

/** What happened to each stage, oldest first, under a line that names it. */
export const describeLogs = (logs: readonly StageLog[]): string =>
  logs
    .map(({ stage: { kind, attack, status, id }, lines }) =>
      [
        `${kind}${attack ? ` ${attack.attack}` : ''}: ${status} (stage ${id})`,
        ...(lines.length > 0 ? lines.map(lineText) : ['  nothing has happened yet']),
      ].join('\n'),
    )
    .join('\n\n');
