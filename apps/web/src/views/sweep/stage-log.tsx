import { ErrorNotice, Skeleton } from '../../components/states.tsx';
import { stageLogQuery } from '../../data/queries.ts';
import { useQuery } from '../../data/use-query.ts';
import { formatTime } from '../../format.ts';

/** What happened to a stage so far, oldest first, and on as it happens. */
export const StageLog = ({ id }: { readonly id: string }) => {
  const { data, error } = useQuery(stageLogQuery(id));
  if (data === undefined)
    return error === undefined ? <Skeleton height={80} /> : <ErrorNotice error={error} />;
  if (data.items.length === 0) return null;
  return (
    <section aria-label="Log">
      <h3>Log</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long log is scrolled by keyboard */}
      <ol className="stage-log" tabIndex={0} aria-label="What happened, oldest first">
        {data.items.map((line, i) => (
          <li key={i} data-level={line.level}>
            <time dateTime={line.at} title={formatTime(line.at)}>
              {new Date(line.at).toLocaleTimeString('en-GB')}
            </time>
            <span>
              {line.attempt === null ? '' : `attempt ${line.attempt} `}
              {line.message}
              {line.detail === null ? null : (
                <details>
                  <summary>where it came from</summary>
                  <pre>{line.detail}</pre>
                </details>
              )}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
};
