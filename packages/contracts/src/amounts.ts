/** Large numbers in sentences and tables. */

/** `69,950`: digits in groups of three. */
export const formatAmount = (amount: number): string => amount.toLocaleString('en-US');

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `1.23 GB`: three digits, 1 kB is 1000 bytes. */
export const formatBytes = (bytes: number): string => {
  const power = bytes < 1 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${byteUnits[power]}`;
};
