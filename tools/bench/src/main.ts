/** Benchmarks: `npm run bench -- train|plan|attack|examine|load|fleet|flood …`. */
import { attack, attackUsage } from './attack.ts';
import { attackPeersUsage } from './attack-peers.ts';
import { examine, examineUsage } from './examine.ts';
import { fleet, fleetUsage } from './fleet.ts';
import { flood, floodUsage } from './flood.ts';
import { load, loadUsage } from './load.ts';
import { plan, planUsage } from './plan.ts';
import { train, trainUsage } from './train.ts';

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  train,
  plan,
  attack,
  examine,
  load,
  fleet,
  flood,
};

const [name = '', ...args] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  console.error(
    `Expected one of ${Object.keys(commands).join(', ')}, but got ${name || 'nothing'}.\n\n${trainUsage}\n${planUsage}\n${attackUsage}\n${attackPeersUsage}\n${examineUsage}\n${loadUsage}\n${fleetUsage}\n${floodUsage}`,
  );
  process.exitCode = 2;
} else await command(args);
