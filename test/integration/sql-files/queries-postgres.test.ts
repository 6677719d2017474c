import { openDatabase } from '../../../src/index.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';
import { openPostgresScratch } from '../../fixtures/scratch-postgres.ts';
import { describeRoundTrips } from './round-trips.ts';
import { testScriptChanges } from './script-changes.ts';

describeRoundTrips('PostgreSQL', async () =>
  openDatabase(await sharedPostgresDatabase(), { name: false, log: 'silent' }),
);

testScriptChanges(() => openPostgresScratch(''));
