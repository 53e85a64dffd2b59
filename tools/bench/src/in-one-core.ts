/** What is timed as one trainer runs in a process with a trainer's options. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { oneCore } from '@funnel/worker';

export const hasOneCore = (): boolean => oneCore.every((option) => process.execArgv.includes(option));

/** This process's command once more, in such a process: its output is ours, and so is its exit code. */
export const repeatInOneCore = async (): Promise<void> => {
  const child = spawn(process.execPath, [...oneCore, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
  });
  process.on('SIGINT', () => {}); // a terminal's reaches both, and the child ends what it started
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = await once(child, 'exit');
  process.exitCode = typeof code === 'number' ? code : 1;
};
