/** Writes the golden values of the self-test: node --import tsx packages/engine/test/backends/make-golden.ts */
import { writeFileSync } from 'node:fs';
import { solve } from './reference.ts';

const golden = Object.fromEntries(
  Object.entries(solve()).map(([name, values]) => [
    name,
    Array.from(values, (value) => Number(value.toPrecision(10))),
  ]),
);
const lines = Object.entries(golden).map(
  ([name, values]) => `  ${JSON.stringify(name)}: ${JSON.stringify(values)}`,
);
writeFileSync(
  new URL('../../src/backends/self-test-golden.json', import.meta.url),
  `{\n${lines.join(',\n')}\n}\n`,
);
