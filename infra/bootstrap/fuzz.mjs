/** `npm run fuzz -- [--requests 20000] [--seed 1]`: sends many requests to the API, made from its OpenAPI document. */
import { join } from 'node:path';
import { install } from './install.mjs';
import { root, runTool } from './process.mjs';
import { readArguments, refuseArguments } from './usage.mjs';

const usage = `npm run fuzz -- [--requests 20000] [--seed 1]
  Sends so many requests to the API, made from its OpenAPI document. The seed chooses other requests.`;

const { values } = readArguments(usage, {
  options: { requests: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } },
});
for (const [name, value] of Object.entries(values))
  if (!/^[1-9]\d{0,8}$/.test(value))
    refuseArguments(`Expected --${name} as a number from 1, but got ${value}`, usage);
await install();
const env = { FUNNEL_FUZZ_REQUESTS: values.requests, FUNNEL_FUZZ_SEED: values.seed };
process.exit(
  await runTool(join(root, 'node_modules/vitest/vitest.mjs'), ['run', 'apps/api/test/fuzz'], { env }),
);
