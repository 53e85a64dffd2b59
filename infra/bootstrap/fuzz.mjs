/** `npm run fuzz -- [--requests 20000] [--seed 1]`: sends many requests to the API, made from its OpenAPI document. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { install } from './install.mjs';
import { root, runTool } from './process.mjs';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } },
});
for (const [name, value] of Object.entries(values))
  if (!/^[1-9]\d{0,8}$/.test(value)) {
    console.error(`Expected --${name} as a number from 1, but got ${value}`);
    process.exit(2);
  }
await install();
const env = { FUNNEL_FUZZ_REQUESTS: values.requests, FUNNEL_FUZZ_SEED: values.seed };
process.exit(
  await runTool(join(root, 'node_modules/vitest/vitest.mjs'), ['run', 'apps/api/test/fuzz'], { env }),
);
