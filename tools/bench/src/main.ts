/** Benchmarks: `npm run bench -- NAME …`; `--help` lists them. */
import { attack, attackUsage } from './attack.ts';
import { attackPeersUsage } from './attack-peers.ts';
import { decide, decideUsage } from './decide.ts';
import { examine, examineUsage } from './examine.ts';
import { fleet, fleetUsage } from './fleet.ts';
import { flood, floodUsage } from './flood.ts';
import { load, loadUsage } from './load.ts';
import { WrongOption } from './options.ts';
import { plan, planUsage } from './plan.ts';
import { realSearch, realSearchUsage } from './real-search.ts';
import { search, searchUsage } from './search.ts';
import { sharedStage, sharedStageUsage } from './shared-stage.ts';
import { stream, streamUsage } from './stream.ts';
import { train, trainUsage } from './train.ts';
import { upload, uploadUsage } from './upload.ts';

type Command = { readonly run: (args: readonly string[]) => Promise<void>; readonly usage: string };

const commands: Readonly<Record<string, Command>> = {
  train: { run: train, usage: trainUsage },
  plan: { run: plan, usage: planUsage },
  attack: { run: attack, usage: `${attackUsage}\n${attackPeersUsage}` },
  examine: { run: examine, usage: examineUsage },
  load: { run: load, usage: loadUsage },
  fleet: { run: fleet, usage: fleetUsage },
  flood: { run: flood, usage: floodUsage },
  'shared-stage': { run: sharedStage, usage: sharedStageUsage },
  upload: { run: upload, usage: uploadUsage },
  search: { run: search, usage: searchUsage },
  decide: { run: decide, usage: decideUsage },
  'real-search': { run: realSearch, usage: realSearchUsage },
  stream: { run: stream, usage: streamUsage },
};

const usage = Object.values(commands)
  .map((command) => command.usage)
  .join('\n');

/** Ends the process with the fault of its command line, and the usage. */
const refuse = (fault: string, usage: string): never => {
  console.error(`${fault}\n\n${usage}`);
  process.exit(2);
};

const [name = '', ...args] = process.argv.slice(2);
const asksHelp = [name, ...args].some((word) => word === '--help' || word === '-h');
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (asksHelp) console.log(command?.usage ?? usage);
else if (command === undefined)
  refuse(`Expected one of ${Object.keys(commands).join(', ')}, but got ${name || 'nothing'}`, usage);
else
  await command.run(args).catch((error: unknown) => {
    if (!(error instanceof WrongOption)) throw error;
    refuse(error.message, command.usage);
  });
