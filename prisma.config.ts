// For people who use Prisma's own programs on the database (`npx prisma@7.10.0 migrate status`). Funnel does not install them, and applies the same
// migrations with its own migrator.
const url = process.env.DATABASE_URL;

export default {
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url ? { datasource: { url } } : {}),
};
