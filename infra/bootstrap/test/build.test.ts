/** The build of the command line can also build a package for other people: JavaScript that runs without tsx and imports npm's packages. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, 'packages/attacks/dist/build-test');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = async (script: string): Promise<unknown> => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  return JSON.parse(stdout);
};

it('builds @funnel/attacks with its siblings inside', async () => {
  const options = `{
    input: ${JSON.stringify(join(root, 'packages/attacks/src/index.ts'))},
    folder: ${JSON.stringify(folder)},
    isPackaged: () => false,
  }`;
  const names = await run(`
    import { buildSources } from ${JSON.stringify(join(root, 'infra/bootstrap/build.mjs'))};
    await buildSources(${options});
    console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(join(folder, 'index.js'))}))));`);
  expect(names).toEqual(expect.arrayContaining(['attacks', 'evaluateAttack']));
  const text = readFileSync(join(folder, 'index.js'), 'utf8');
  const imported = [...text.matchAll(/from "([^"]+)"/g)].map(([, name]) => name);
  expect([...new Set(imported)].sort()).toEqual(['@tensorflow/tfjs', 'node:fs/promises', 'node:path', 'zod']);
  expect(readdirSync(folder).sort()).toEqual(['index.js', 'inputs.json']);
});
