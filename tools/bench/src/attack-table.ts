/** What `bench attack` prints. */
import type { AttackCase } from './attack-cases.ts';

export type AttackTiming = {
  readonly attack: string;
  readonly images: number;
  /** Wall and processor time, seconds per image. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** What the model's passes alone take, at the speed of a full batch. */
  readonly floorSeconds: number;
  readonly foolbox18: number | null;
  readonly foolbox3: number | null;
  /** Null where none is set. */
  readonly target: NonNullable<AttackCase['target']> | null;
  readonly meetsTarget: boolean | null;
  readonly successRate: number;
};

export const printTimings = (timings: readonly AttackTiming[]): void => {
  const seconds = (value: number | null): string => (value === null ? '–' : value.toFixed(4));
  const times = (anchor: number | null, own: number): string =>
    anchor === null ? '' : `${(anchor / own).toFixed(1)}×`;
  const print = (cells: readonly string[]) =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(26) : cell.padStart(10))).join(''));
  const targetOf = ({ target, meetsTarget }: AttackTiming): string =>
    target === null
      ? ''
      : `${[target.foolbox18, target.foolbox3].map((times) => (times ? `${times}×` : '–')).join(' ')} ${meetsTarget ? '✓' : '✗'}`;
  print(['attack', 'images', 's/image', 'cpu', 'floor', '1.8', '', '3.3.4', '', 'target', 'success']);
  for (const t of timings)
    print([
      t.attack,
      String(t.images),
      seconds(t.seconds),
      seconds(t.cpuSeconds),
      seconds(t.floorSeconds),
      seconds(t.foolbox18),
      times(t.foolbox18, t.seconds),
      seconds(t.foolbox3),
      times(t.foolbox3, t.seconds),
      targetOf(t),
      `${(100 * t.successRate).toFixed(0)} %`,
    ]);
};
