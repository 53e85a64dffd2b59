/** The large submissions that wait for each other, and those that were refused. Absent when there are none. */
import type { Submission } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Panel } from '../../components/controls.tsx';
import { ErrorNotice } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { call } from '../../data/api.ts';
import { submissionsQuery } from '../../data/queries.ts';
import { plural } from '../../format.ts';

const placeText = ({ status, ahead, problem }: Submission): string => {
  if (problem) return problem.detail;
  if (status === 'running') return 'Its trials and stages are being written.';
  return ahead === 0 ? 'It is the next one.' : `${plural(ahead, 'submission')} before it.`;
};

export const SubmissionsPanel = () => {
  const { data, refetch } = useQuery(submissionsQuery);
  const [error, setError] = useState<unknown>(undefined);
  const submissions = data?.items ?? [];
  if (submissions.length === 0) return null;
  const withdraw = async (id: string) => {
    setError(undefined);
    await call('withdrawSubmission', { params: { id } }).catch(setError);
    await refetch();
  };
  return (
    <Panel title="Submissions" note="Large sweeps are written one after the other." flush>
      <ErrorNotice error={error} />
      <ul className="submissions">
        {submissions.map((submission) => {
          const { id, name, status } = submission;
          const action = status === 'refused' ? 'Remove' : 'Withdraw';
          return (
            <li key={id}>
              <div>
                <strong>{name}</strong>
                <p className="small muted">{placeText(submission)}</p>
              </div>
              <Status status={status} />
              <button
                type="button"
                className="button"
                data-size="small"
                aria-label={`${action} ${name}`}
                onClick={() => void withdraw(id)}
              >
                {action}
              </button>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
};
