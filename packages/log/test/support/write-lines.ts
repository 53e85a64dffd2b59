/**
 * Writes lines of 300 bytes to a log. `write-lines.ts FILE` writes four lines, then cuts the file in the middle of a line and writes a
 * fifth line. `write-lines.ts stdout` writes until three lines are lost.
 */
import { truncateSync, writeSync } from 'node:fs';
import { logDestination } from '@funnel/log';

const [place] = process.argv.slice(2);
const line = (number: number): string => {
  const start = `{"number":${number},"text":"`;
  return `${start}${'x'.repeat(297 - start.length)}"}\n`;
};

if (place === 'stdout') {
  let lost = 0;
  const { write } = logDestination(1, { onLost: () => lost++ });
  const timer = setInterval(() => {
    write(line(1));
    if (lost < 3) return;
    clearInterval(timer);
    writeSync(2, 'wrote to the end\n');
  }, 1);
} else {
  const { write } = logDestination(place!, { tell: () => {} });
  for (let number = 1; number <= 4; number++) write(line(number));
  truncateSync(place!, 320);
  write(line(5));
}
