import { existsSync, readFileSync } from 'node:fs';
import { ValidationSeverity, validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { Env as ApiEnv } from '../../apps/api/src/env.ts';
import { Env as CliEnv } from '../../apps/cli/src/env.ts';
import { Env as WorkerEnv } from '../../apps/worker/src/options.ts';
import { type Stage, stagesOf } from './dockerfile.ts';

const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('infra/docker/Dockerfile', root), 'utf8');
const stages = stagesOf(text);
const names = stages.map(({ name }) => name);
const stage = (name: string): Stage => stages.find((each) => each.name === name)!;

/** The arguments of every instruction `keyword` in the stage `name` and in its base stages. The stage's own instructions come last. */
const inherited = (name: string, keyword: string): string[] => {
  if (!names.includes(name)) return [];
  const { base, instructions } = stage(name);
  const own = instructions
    .filter((each) => each.getKeyword() === keyword)
    .map((each) => each.getArgumentsContent() ?? '');
  return [...inherited(base, keyword), ...own];
};

describe('infra/docker/Dockerfile', () => {
  it('has no fault that the linter knows', () => {
    const strict = {
      deprecatedMaintainer: ValidationSeverity.ERROR,
      directiveCasing: ValidationSeverity.ERROR,
      emptyContinuationLine: ValidationSeverity.ERROR,
      instructionCasing: ValidationSeverity.ERROR,
      instructionCmdMultiple: ValidationSeverity.ERROR,
      instructionEntrypointMultiple: ValidationSeverity.ERROR,
      instructionHealthcheckMultiple: ValidationSeverity.ERROR,
      instructionJSONInSingleQuotes: ValidationSeverity.ERROR,
      instructionWorkdirRelative: ValidationSeverity.ERROR,
    };
    expect(validate(text, strict)).toEqual([]);
    expect(validate('FROM node\nRUNN true\n', strict)).not.toEqual([]);
  });

  it('builds on pinned images and on its own earlier stages', () => {
    stages.forEach(({ base }, number) => {
      if (!names.slice(0, number).includes(base)) expect(base).toMatch(/:\d+\.\d+\.\d+-/);
    });
    const copied = stages.flatMap(({ instructions }) =>
      instructions.map((each) => /--from=(\S+)/.exec(each.getTextContent())?.[1]),
    );
    for (const from of copied) if (from !== undefined) expect(names).toContain(from);
  });

  it.each(['funnel', 'vulkan', 'cuda'])(
    '%s runs as an ordinary user, under an init, and has a health check',
    (name) => {
      expect(inherited(name, 'USER').at(-1)).toBe('node');
      expect(inherited(name, 'ENTRYPOINT').at(-1)).toBe('["tini", "--"]');
      expect(inherited(name, 'HEALTHCHECK').at(-1)).toContain('infra/docker/healthy.mjs');
      const [program] = /apps\/\w+\/src\/main\.ts/.exec(inherited(name, 'CMD').at(-1) ?? '') ?? [];
      expect(program && existsSync(new URL(program, root))).toBe(true);
    },
  );

  it('has the built command line, and removes its bundler after the build', () => {
    const [build] = stage('sources').instructions.filter((each) => each.getKeyword() === 'RUN');
    expect(build!.getArgumentsContent()).toMatch(
      /node infra\/bootstrap\/cli\.mjs .* rm -rf node_modules\/rolldown /s,
    );
    for (const name of ['funnel', 'cuda-modules'])
      expect(
        stage(name).instructions.some((each) => each.getTextContent().includes('--from=sources /app /app')),
      ).toBe(true);
  });

  it('runs the GPU library with a version of Node that this library supports', () => {
    const [, major] = /^node:(\d+)\./.exec(stage('node-22').base) ?? [];
    expect(Number(major)).toBeLessThan(23);
    expect(stage('cuda').base).toMatch(/^nvidia\/cuda:11\.\d+\.\d+-cudnn8-runtime-/);
    expect(
      stage('cuda').instructions.some((each) =>
        each.getTextContent().includes('--from=node-22 /usr/local/bin/node'),
      ),
    ).toBe(true);
  });

  it('sets only variables that a program reads', () => {
    const read = [ApiEnv, CliEnv, WorkerEnv].flatMap(({ shape }) => Object.keys(shape));
    const set = stages
      .flatMap(({ name }) => inherited(name, 'ENV'))
      .flatMap((line) => line.match(/FUNNEL_\w+/g) ?? []);
    expect(read).toEqual(expect.arrayContaining([...new Set(set)]));
  });
});

describe('.dockerignore', () => {
  const ignored = readFileSync(new URL('.dockerignore', root), 'utf8').split('\n');
  it.each(['.env', '.git', '.funnel', '**/node_modules'])('keeps %s out of every image', (path) => {
    expect(ignored).toContain(path);
  });
});
