/** The transitions of a stage in ARCHITECTURE.md agree with the table in `lifecycle/transitions.ts`. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { firstStatus, transitions } from '../src/lifecycle/transitions.ts';

const document = readFileSync(new URL('../../../ARCHITECTURE.md', import.meta.url), 'utf8');
const [, picture = '', prose = ''] = /```mermaid\nstateDiagram-v2\n(.*?)```(.*?)\n## /s.exec(document) ?? [];

test('an arrow for every transition from every status, and no other', () => {
  const drawn = picture
    .trim()
    .split('\n')
    .map((line) => line.trim());
  const starts = [null, 'another stage'].map(
    (dependsOn) => `[*] --> ${firstStatus({ dependsOn, passed: false })}`,
  );
  const arrows = Object.entries(transitions).flatMap(([name, { from, to }]) =>
    from.flatMap((before) => [to].flat().map((after) => `${before} --> ${after}: ${name}`)),
  );
  expect(drawn.sort()).toEqual([...starts, ...arrows].sort());
});

test('the list below the picture has the reason for each transition', () => {
  const rows = [...prose.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, name, when]) => [name, when]);
  expect(rows).toEqual(Object.entries(transitions).map(([name, { when }]) => [name, when]));
});
