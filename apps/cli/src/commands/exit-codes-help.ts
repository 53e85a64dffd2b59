import { exitCodes } from '../exit-codes.ts';

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'done',
  failed: 'something went wrong',
  usage: 'the command line is wrong',
  refused: 'the API refused the request and said why',
  unreachable: 'nobody answers at the address of the API',
  incomplete: 'the watched sweep ended, but not every trial completed',
  interrupted: 'Ctrl-C',
  readerGone: 'the reader of the output ended before the command did, as in `funnel up | head`',
};

export const exitCodesHelp = `\nExit status:\n${Object.entries(exitCodes)
  .map(([name, code]) => `  ${String(code).padStart(3)}  ${meanings[name as keyof typeof exitCodes]}`)
  .join('\n')}`;
