import { createHash, randomBytes } from 'node:crypto';
import { type Role, roles } from '@funnel/contracts';
import type { TokenInfo } from '@funnel/db';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { formatMinute, formatTable } from '../output/format.ts';
import { present } from '../output/terminal.ts';

/** Loaded when a command runs: PostgreSQL's driver is large, and help does not need it. */
const loadDatabase = () => import('../database.ts');

/** 256 random bits. Only their hash is stored: nobody can see the token a second time. */
const newToken = (): { readonly token: string; readonly hash: string } => {
  const token = `funnel_${randomBytes(32).toString('base64url')}`;
  return { token, hash: createHash('sha256').update(token).digest('hex') };
};

const createToken = async (
  name: string,
  { role }: { readonly role: Role },
  context: Context,
): Promise<void> => {
  const { token, hash } = newToken();
  const { addToken } = await loadDatabase();
  await addToken(context, { name, role, hash });
  present(context.output, { name, role, token }, () => token);
  context.output.note(
    `The token of ${name} (${role}) is shown only now. From now on the API wants a token with every call: set FUNNEL_TOKEN.`,
  );
};

const describeTokens = (tokens: readonly TokenInfo[]): string =>
  tokens.length === 0
    ? 'No token: on loopback, everyone on this machine may do everything.'
    : formatTable<TokenInfo>(
        [
          { title: 'name', value: ({ name }) => name },
          { title: 'role', value: ({ role }) => role },
          { title: 'created', value: ({ createdAt }) => formatMinute(createdAt) },
          {
            title: 'last used',
            value: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : formatMinute(lastUsedAt)),
          },
          { title: '', value: ({ revokedAt }) => (revokedAt ? 'revoked' : '') },
        ],
        tokens,
      );

/** Tokens are made and revoked in the database itself. Whoever reaches the database needs no token. */
export const databaseCommands = (program: Command, context: () => Context): void => {
  const token = program.command('token').description('who may call the API, and what they may do');
  token
    .command('create')
    .description('make a token and show it, once')
    .argument('<name>', 'whose it is')
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).default('submit'))
    .action((name: string, options: { role: Role }) => createToken(name, options, context()));
  token
    .command('list')
    .description('every token, without its secret')
    .action(async () => {
      const given = context();
      const { readTokens } = await loadDatabase();
      present(given.output, await readTokens(given), describeTokens);
    });
  token
    .command('revoke')
    .description('make a token useless, at once')
    .argument('<name>')
    .action(async (name: string) => {
      const given = context();
      const { endToken } = await loadDatabase();
      await endToken(given, name);
      present(given.output, { revoked: name }, () => `The token of ${name} opens nothing any more.`);
    });
  program
    .command('migrate')
    .description('bring the database to this version')
    .action(async () => {
      const given = context();
      const { migrateDatabase } = await loadDatabase();
      const applied = await migrateDatabase(given);
      present(given.output, { applied }, () =>
        applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`,
      );
    });
};
