/** `npm run check`: lint and format, types, unused code, dependencies. All checks run, so that one call shows all faults. */
import { join } from 'node:path';
import { checkDependencies } from './dependencies.mjs';
import { install } from './install.mjs';
import { announce, root, runTool, step } from './process.mjs';
import { readArguments } from './usage.mjs';

const checks = [
  { title: 'lint and format (biome)', script: '@biomejs/biome/bin/biome', args: ['ci', '.'] },
  { title: 'types (tsc)', script: 'typescript/bin/tsc', args: ['--noEmit', '-p', '.'] },
  { title: 'unused code (knip)', script: 'knip/bin/knip.js', args: [] },
];

readArguments('npm run check\n  Checks format, lint, types, unused code and dependencies.');
await install();
const failed = [];
for (const { title, script, args } of checks) {
  const code = await step(title, () => runTool(join(root, 'node_modules', script), args));
  if (code !== 0) failed.push(title);
}
if ((await step('dependencies (lock file, npm audit)', checkDependencies)) !== 0) failed.push('dependencies');
announce(failed.length === 0 ? 'check: passed' : `check: failed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
