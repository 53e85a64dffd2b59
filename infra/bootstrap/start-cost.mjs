/**
 * `node infra/bootstrap/start-cost.mjs [command …]`: CPU time (user and system) of a command beside that of `node -e 0`, ten times each and in turns.
 * Prints both medians and their ratio. The command is `funnel ls` unless another one is given. Needs bash.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './process.mjs';

const launcher = join(root, 'apps/cli/bin/funnel.mjs');
const given = process.argv.slice(2);
const command = given.length > 0 ? given : [process.execPath, launcher, 'ls'];

/** Milliseconds of CPU time. The shell measures it, because Node does not report the CPU time of a child. */
const measure = (words) => {
  const script = 'TIMEFORMAT="%U %S"; time "$@" > /dev/null 2>&1';
  const { stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
  const [user, system] = stderr.trim().split(' ').map(Number);
  return 1000 * (user + system);
};

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle - 0.5)] + sorted[Math.floor(middle)]) / 2;
};

measure(command); // The first call may build.
const rounds = Array.from({ length: 10 }, () => ({
  node: measure([process.execPath, '-e', '0']),
  command: measure(command),
}));
const node = median(rounds.map((round) => round.node));
const cost = median(rounds.map((round) => round.command));
console.log(
  `node -e 0: ${node.toFixed(0)} ms; the command: ${cost.toFixed(0)} ms, ${(cost / node).toFixed(1)} times`,
);
