import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const script = fileURLToPath(new URL('infra/docker/make-env.sh', root));

describe('infra/docker/make-env.sh', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'funnel-env-'));
    copyFileSync(new URL('.env.example', root), join(folder, '.env.example'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('gives every empty secret a value of its own, changes nothing else, and lets only the owner read the file', () => {
    execFileSync(script, [folder]);
    const lines = readFileSync(join(folder, '.env'), 'utf8').split('\n');
    const before = readFileSync(join(folder, '.env.example'), 'utf8').split('\n');
    expect(lines).toHaveLength(before.length);
    const secrets = before.flatMap((line, number) =>
      /^\w+=$/.test(line) ? [lines[number]!.slice(line.length)] : [],
    );
    expect(secrets.length).toBeGreaterThanOrEqual(5);
    for (const secret of secrets) expect(secret).toMatch(/^[0-9a-f]{48}$/);
    expect(new Set(secrets).size).toBe(secrets.length);
    before.forEach((line, number) => {
      if (!/^\w+=$/.test(line)) expect(lines[number]).toBe(line);
    });
    expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600);
  });

  it('does not change an existing .env', () => {
    const before = readFileSync(join(folder, '.env'), 'utf8');
    expect(execFileSync(script, [folder], { encoding: 'utf8' })).toContain('nothing was changed');
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(before);
  });
});
