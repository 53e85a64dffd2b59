/** Lengths of time in words. The terminal and the pages say the same for the same time. */
import type { Sweep } from './resources/sweeps.ts';

/** `< 1 s`, `42 s`, `3 min 5 s`, `2 h 10 min`, `3 d`: at most two units. */
export const formatDuration = (seconds: number): string => {
  if (seconds < 1) return '< 1 s';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
};

/** The longest rough time that has seconds. */
const roughSeconds = 600;

/** A time that nobody knows exactly: `42 s`, `3 min 5 s`, `20 min`, `2 h 10 min`. */
export const formatRoughDuration = (seconds: number): string =>
  formatDuration(seconds > roughSeconds ? 60 * Math.round(seconds / 60) : seconds);

/** From the submission of a sweep to its end, `3 min 32 s`; null before its end. */
export const timeTaken = ({
  createdAt,
  finishedAt,
}: Pick<Sweep, 'createdAt' | 'finishedAt'>): string | null =>
  finishedAt === null ? null : formatDuration((Date.parse(finishedAt) - Date.parse(createdAt)) / 1000);
