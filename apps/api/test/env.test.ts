import { describe, expect, test } from 'vitest';
import { readEnv, startOptions } from '../src/env.ts';

const DATABASE_URL = 'postgres://localhost/funnel';

describe('FUNNEL_PLANNING_SECONDS', () => {
  test('limits planning', () => {
    const options = startOptions(readEnv({ DATABASE_URL, FUNNEL_PLANNING_SECONDS: '2.5' }));
    expect(options.limits?.planningSeconds).toBe(2.5);
  });

  test.each(['0', '101', 'x'])('%s is refused by its name', (FUNNEL_PLANNING_SECONDS) => {
    expect(() => readEnv({ DATABASE_URL, FUNNEL_PLANNING_SECONDS })).toThrow(/FUNNEL_PLANNING_SECONDS/);
  });
});
