/** The uploads of the caller that are not complete. Absent when there are none. */
import type { UnfinishedDataset } from '@funnel/contracts';
import { Panel } from '../../components/controls.tsx';
import { formatBytes, formatTime } from '../../format.ts';

const stateText = ({ status, received, bytes }: UnfinishedDataset): string => {
  if (status === 'refused') return 'refused: the bytes are not what was announced';
  if (status === 'checking') return 'the service checks it';
  return `${formatBytes(received)} of ${formatBytes(bytes)} received`;
};

export const UnfinishedPanel = ({ uploads }: { readonly uploads: readonly UnfinishedDataset[] }) =>
  uploads.length === 0 ? null : (
    <Panel
      title="Unfinished uploads"
      note={
        <>
          Each one takes up your room. Add the data set again to go on, or remove the upload:{' '}
          <code>npx funnel data rm NAME</code>
        </>
      }
      flush
    >
      <table className="table uploads">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col">Deleted at</th>
          </tr>
        </thead>
        <tbody>
          {uploads.map((upload) => (
            <tr key={upload.digest}>
              <th scope="row">{upload.name ?? upload.digest}</th>
              <td>{stateText(upload)}</td>
              <td>{formatTime(upload.deletedAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
