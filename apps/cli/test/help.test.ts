import { expect, it } from 'vitest';
import { buildProgram } from '../src/main.ts';

it('names what every command takes, and puts every command under a heading', () => {
  const program = buildProgram({});
  for (const command of program.commands) {
    expect(command.helpInformation(), command.name()).toMatch(/--json .*--url </s);
    expect(command.helpGroup(), command.name()).toMatch(/^(Sweeps|Results|Without a sweep|Service):$/);
  }
});
