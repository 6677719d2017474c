import { startPostgres } from '../postgres.ts';
import { startRedis } from '../redis.ts';

const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
const servers = { postgres: postgres.pid, redis: redis.pid, folder: postgres.folder };
process.stdout.write(`${JSON.stringify(servers)}\n`);
setInterval(() => {}, 1_000);
