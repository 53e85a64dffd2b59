import { createHash, randomBytes } from 'node:crypto';
import { type Role, roles } from '@funnel/contracts';
import type { TokenInfo } from '@funnel/db';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { formatMinute, formatTable } from '../output/format.ts';
import { present } from '../output/terminal.ts';
import { readLine } from '../values.ts';

/** Loaded when a command runs: PostgreSQL's driver is large, and help does not need it. */
const loadDatabase = () => import('../database.ts');

/** 256 random bits. The database has only their hash, so nobody can read the token later. */
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
    `This is the only time that the token of ${name} (${role}) is shown. From now on the API needs a token for every call. Give it to your shell: export FUNNEL_TOKEN=…`,
  );
};

const describeTokens = (tokens: readonly TokenInfo[]): string =>
  tokens.length === 0
    ? 'There is no token, so on loopback everyone on this machine may do everything.'
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

/** These commands write tokens directly to the database. To run them, a user needs access to the database, and no token. */
export const databaseCommands = (program: Command, context: () => Context): void => {
  const token = program.command('token').description('create, list or revoke the tokens for the API');
  token
    .command('create')
    .description('create a token, and print it once')
    .argument('<name>', 'a name for the person or program that will use the token', readLine)
    .addOption(new Option('--role <role>', 'the permissions of the token').choices(roles).default('submit'))
    .action((name: string, options: { role: Role }) => createToken(name, options, context()));
  token
    .command('list')
    .description('list all tokens, without their secrets')
    .action(async () => {
      const given = context();
      const { readTokens } = await loadDatabase();
      present(given.output, await readTokens(given), describeTokens);
    });
  token
    .command('revoke')
    .description('revoke a token at once')
    .argument('<name>')
    .action(async (name: string) => {
      const given = context();
      const { endToken } = await loadDatabase();
      const valid = await endToken(given, name);
      present(given.output, { revoked: name, valid }, () => `The token of ${name} is revoked.`);
      if (valid.length === 0)
        given.output.note(
          'No valid token is left, and the API still needs one for every call: make one with `npx funnel token create NAME`.',
        );
    });
  program
    .command('migrate')
    .description('migrate the database to the version of this program')
    .action(async () => {
      const given = context();
      const { migrateDatabase } = await loadDatabase();
      const applied = await migrateDatabase(given);
      present(given.output, { applied }, () =>
        applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`,
      );
    });
};
