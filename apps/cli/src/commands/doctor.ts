import type { Command } from 'commander';
import type { Context } from '../context.ts';
import type { Finding } from '../doctor/finding.ts';
import { Exit, exitCodes } from '../exit-codes.ts';
import { present } from '../output/output.ts';

const signs = { ok: '✓', note: '·', fault: '✗' } as const;

const describe = (findings: readonly Finding[]): string =>
  findings
    .map(
      ({ verdict, what, detail, hint }) =>
        `${signs[verdict]} ${what.padEnd(20)} ${detail}${hint ? `\n${' '.repeat(23)}→ ${hint}` : ''}`,
    )
    .join('\n');

export const doctorCommand = (program: Command, context: () => Context): void => {
  program
    .command('doctor')
    .description('what this machine has, what is missing, and how to get it')
    .action(async () => {
      const { env, output } = context();
      const { examine } = await import('../doctor/examine.ts');
      const findings = await examine(env);
      present(output, findings, describe);
      if (findings.some(({ verdict }) => verdict === 'fault')) throw new Exit(exitCodes.failed);
    });
};
