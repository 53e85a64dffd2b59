/** RFC 4180: a field with a comma, a quote or a line break is quoted. Missing values are empty. */
const field = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** One line of titles (by default every key that any row has, in order of appearance) and one line per row. */
export const formatCsv = (
  rows: readonly Readonly<Record<string, unknown>>[],
  titles: readonly string[] = [...new Set(rows.flatMap((row) => Object.keys(row)))],
): string => {
  const lines = [titles, ...rows.map((row) => titles.map((title) => row[title]))];
  return `${lines.map((line) => line.map(field).join(',')).join('\r\n')}\r\n`;
};
