import { expect, it } from 'vitest';
import { buildProgram, commandFiles } from '../src/main.ts';

it('lists the global options of every command, and puts every command under a heading', async () => {
  const program = await buildProgram({});
  expect(program.commands.map((command) => command.name())).toEqual(
    commandFiles.flatMap(({ names }) => names),
  );
  for (const command of program.commands) {
    expect(command.helpInformation(), command.name()).toMatch(/--json .*--url </s);
    expect(command.helpGroup(), command.name()).toMatch(/^(Sweeps|Results|Without a sweep|Service):$/);
  }
});

it('loads only the file of the called command, and without a command every file', async () => {
  const loaded = async (...args: string[]) =>
    (await buildProgram({}, args)).commands.map((command) => command.name());
  const every = await loaded();
  expect(await loaded('--json', '--url', 'gc', 'compare', 'export')).toEqual(['best', 'compare']);
  for (const args of [['--help'], ['help', 'gc'], ['gcc'], ['completion', 'bash'], ['--version']])
    expect(await loaded(...args), args.join(' ')).toEqual(every);
});
