// The address is only for those who run `prisma migrate` themselves; Funnel applies the same files with its own migrator.
const url = process.env.DATABASE_URL;

export default {
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url ? { datasource: { url } } : {}),
};
