import { workersQuery } from '../../data/queries.ts';
import { useQuery } from '../../data/use-query.ts';
import { formatCount } from '../../format.ts';
import { href } from '../../router.ts';

const plural = (n: number, word: string) => `${formatCount(n)} ${word}${n === 1 ? '' : 's'}`;

/** One line that says what the machines are doing now. */
export const FleetLine = () => {
  const { data } = useQuery(workersQuery);
  const online = (data?.items ?? []).filter((worker) => worker.status !== 'gone');
  const running = online.flatMap((worker) => worker.running);
  const slots = online.reduce((sum, worker) => sum + worker.slots, 0);
  const speed = running.reduce((sum, stage) => sum + (stage.imagesPerSecond ?? 0), 0);
  return (
    <p className="muted" style={{ minHeight: 21 }}>
      {data === undefined ? null : online.length === 0 ? (
        <>
          No worker is online: nothing will start. <a href={href(['workers'])}>Workers</a>
        </>
      ) : (
        <>
          {plural(online.length, 'worker')}, {running.length} of {plural(slots, 'slot')} busy
          {speed > 0 ? `, ${formatCount(speed)} images/s` : ''}
        </>
      )}
    </p>
  );
};
