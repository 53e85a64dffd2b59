const two = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-22 21:16:05`, on the clock of this machine: what the API says is in UTC. */
export const formatSecond = (at: string): string => {
  const time = new Date(at);
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${day} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
};

/** The same to the minute. */
export const formatMinute = (at: string): string => formatSecond(at).slice(0, -':05'.length);
