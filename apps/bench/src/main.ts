/** Benchmarks: `npm run bench -- train|plan|attack …`. */
import { attack, attackUsage } from './attack.ts';
import { plan, planUsage } from './plan.ts';
import { train, trainUsage } from './train.ts';

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  train,
  plan,
  attack,
};

const [name = '', ...args] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  console.error(
    `Expected one of ${Object.keys(commands).join(', ')}, but got ${name || 'nothing'}.\n\n${trainUsage}\n${planUsage}\n${attackUsage}`,
  );
  process.exitCode = 2;
} else await command(args);
