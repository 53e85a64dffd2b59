/**
 * `npm run fuzz -- [--requests 20000] [--pairs 20000] [--sweeps 1000] [--seed 1]`: sends many requests to the API, made from its OpenAPI
 * document; all extremes of all fields, alone and in pairs; and random valid sweeps.
 */
import { join } from 'node:path';
import { install } from './install.mjs';
import { root, runTool } from './process.mjs';
import { readArguments, refuseArguments } from './usage.mjs';

const usage = `npm run fuzz -- [--requests 20000] [--pairs 20000] [--sweeps 1000] [--seed 1]
  Sends so many requests to the API, made from its OpenAPI document; all extremes of all fields, alone and in so many pairs; and so many
  random valid sweeps. The seed chooses other ones.`;

const { values } = readArguments(usage, {
  options: {
    requests: { type: 'string', default: '20000' },
    pairs: { type: 'string', default: '20000' },
    sweeps: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
  },
});
for (const [name, value] of Object.entries(values))
  if (!/^[1-9]\d{0,8}$/.test(value))
    refuseArguments(`Expected --${name} as a number from 1, but got ${value}`, usage);
await install();
const env = Object.fromEntries(
  Object.entries(values).map(([name, value]) => [`FUNNEL_FUZZ_${name.toUpperCase()}`, value]),
);
// One file after the other: each measures how quickly its service answers.
const args = ['run', '--no-file-parallelism', 'apps/api/test/fuzz'];
process.exit(await runTool(join(root, 'node_modules/vitest/vitest.mjs'), args, { env }));
