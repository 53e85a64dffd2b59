import { Empty } from '../components/states.tsx';
import { href } from '../router.ts';

export const NotFoundView = () => (
  <Empty title="There is no such page">
    <p>The address may be from another version, or a letter of it got lost.</p>
    <a className="button" href={href(['sweeps'])}>
      To the sweeps
    </a>
  </Empty>
);
