/** The large submissions that wait for each other, and those that were refused. Absent when there are none. */
import { useQuery } from '@tanstack/react-query';
import { Status } from '../../components/status.tsx';
import { call } from '../../data/api.ts';
import { submissionsQuery } from '../../data/queries.ts';
import { plural } from '../../format.ts';

export const SubmissionsPanel = () => {
  const { data, refetch } = useQuery(submissionsQuery);
  const submissions = data?.items ?? [];
  if (submissions.length === 0) return null;
  const withdraw = async (id: string) => {
    await call('withdrawSubmission', { params: { id } }).catch(() => {}); // the next fetch shows what became of it
    await refetch();
  };
  return (
    <section className="panel" aria-label="Submissions">
      <table className="table">
        <thead>
          <tr>
            <th>Submission</th>
            <th>Status</th>
            <th>Place</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {submissions.map(({ id, name, status, ahead, problem }) => (
            <tr key={id}>
              <td>{name}</td>
              <td>
                <Status status={status === 'refused' ? 'failed' : status} />
              </td>
              <td>
                {problem
                  ? problem.detail
                  : status === 'waiting'
                    ? `${plural(ahead, 'submission')} before it`
                    : 'is being written'}
              </td>
              <td>
                <button type="button" className="button" onClick={() => void withdraw(id)}>
                  {problem ? 'Remove' : 'Withdraw'}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
};
