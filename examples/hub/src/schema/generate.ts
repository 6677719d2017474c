import { join } from 'node:path';
import { PostgresServer } from '../arena/postgres-server.ts';
import { createRunFolder } from '../dataset/data-folder.ts';
import { generateQueries } from '../millpond/queries.ts';
import { queriesModule } from './queries-module.ts';

using folder = createRunFolder();
await using server = await PostgresServer.start(join(folder.path, 'postgres'), new AbortController().signal);
const { file, changed, queries, warnings } = await generateQueries(queriesModule(server.urlOf('postgres')));
console.log(`${file} ${changed ? 'was written' : 'is as it was'}: ${queries.length} queries.`);
for (const { file: at, line, column, message } of warnings)
  console.log(`${at}:${line}:${column}: ${message}`);
