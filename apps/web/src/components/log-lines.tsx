import type { StageLogLine } from '@funnel/contracts';
import type { ReactNode } from 'react';
import { formatTime } from '../format.ts';
import './log-lines.css';

/** A log, oldest line first. `about` stands before the message of a line, such as the stage of an attempt. */
export const LogLines = <Line extends StageLogLine>({
  lines,
  label,
  about,
}: {
  readonly lines: readonly Line[];
  readonly label: string;
  readonly about?: (line: Line) => ReactNode;
}) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls a long log
  <ol className="log-lines" tabIndex={0} aria-label={label}>
    {lines.map((line, i) => (
      <li key={i} data-level={line.level}>
        <time dateTime={line.at} title={formatTime(line.at)}>
          {new Date(line.at).toLocaleTimeString('en-GB')}
        </time>
        <span>
          {about?.(line)}
          {line.attempt === null ? '' : `attempt ${line.attempt} `}
          {line.message}
          {line.detail === null ? null : (
            <details>
              <summary>Stack trace</summary>
              <pre>{line.detail}</pre>
            </details>
          )}
        </span>
      </li>
    ))}
  </ol>
);
