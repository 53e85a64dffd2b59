import { expect, test } from 'vitest';
import { isLoopback } from '../../src/access/hosts.ts';

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1', '[::1]'])('%s is loopback', (host) => {
  expect(isLoopback(host)).toBe(true);
});
test.each(['0.0.0.0', '::', '', '10.0.0.1', '127.0.0.1.evil.test', 'localhost.evil.test', '1270.0.0.1'])(
  '%j is not',
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);
