import { createHash, randomBytes } from 'node:crypto';
import { type Role, roles } from '@funnel/contracts';
import type { TokenInfo } from '@funnel/db';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { formatMinute, formatTable } from '../output/format.ts';
import { present } from '../output/terminal.ts';

/** Tokens are made and revoked in the database itself: who may reach that needs no token. */
const onDatabase = async <T>(
  context: Context,
  work: (db: import('@funnel/db').Db) => Promise<T>,
  options?: { readonly make: boolean },
): Promise<T> => {
  const { withDatabase } = await import('../database.ts');
  return withDatabase(context, work, options);
};

/** 256 random bits; only their hash is stored, so this is the one time that it can be shown. */
const newToken = (): { readonly token: string; readonly hash: string } => {
  const token = `funnel_${randomBytes(32).toString('base64url')}`;
  return { token, hash: createHash('sha256').update(token).digest('hex') };
};

const create = async (name: string, { role }: { readonly role: Role }, context: Context): Promise<void> => {
  const { token, hash } = newToken();
  const { saveToken, writeAudit } = await import('@funnel/db');
  const save = async (db: import('@funnel/db').Db): Promise<void> => {
    await saveToken(db, { name, role, hash });
    await writeAudit(db, {
      actor: 'cli',
      action: 'createToken',
      subject: name,
      address: null,
      details: { role },
    });
  };
  // Before a first start on an open address there must be one: the database is made for it.
  await onDatabase(context, save, { make: true });
  present(context.output, { name, role, token }, () => token);
  context.output.note(
    `This is the only time that the token of ${name} (${role}) is shown. From now on every call needs one: FUNNEL_TOKEN.`,
  );
};

const revoke = async (name: string, context: Context): Promise<void> => {
  const { revokeToken, writeAudit } = await import('@funnel/db');
  await onDatabase(context, async (db) => {
    await revokeToken(db, name);
    await writeAudit(db, { actor: 'cli', action: 'revokeToken', subject: name, address: null, details: {} });
  });
  present(context.output, { revoked: name }, () => `The token of ${name} opens nothing any more.`);
};

const describeTokens = (tokens: readonly TokenInfo[]): string =>
  tokens.length === 0
    ? 'No token: on loopback everyone on this machine may do everything.'
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

export const tokenCommand = (program: Command, context: () => Context): void => {
  const token = program.command('token').description('who may call the API, and what they may do');
  token
    .command('create')
    .description('make a token and show it, once')
    .argument('<name>', 'whose it is')
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).default('submit'))
    .action((name: string, options: { role: Role }) => create(name, options, context()));
  token
    .command('list')
    .description('every token, without its secret')
    .action(async () => {
      const given = context();
      const { listTokens } = await import('@funnel/db');
      present(given.output, await onDatabase(given, listTokens), describeTokens);
    });
  token
    .command('revoke')
    .description('make a token useless, at once')
    .argument('<name>')
    .action((name: string) => revoke(name, context()));
};

export const migrateCommand = (program: Command, context: () => Context): void => {
  program
    .command('migrate')
    .description('bring the database to this version')
    .action(async () => {
      const { env, output } = context();
      const [{ migrate }, { withDatabaseUrl }] = await Promise.all([
        import('@funnel/db'),
        import('../database.ts'),
      ]);
      const applied = await withDatabaseUrl(env, (url) => migrate(url, { onWait: output.note }));
      present(output, { applied }, () =>
        applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`,
      );
    });
};
