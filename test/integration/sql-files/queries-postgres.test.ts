import { openDatabase } from '../../../src/index.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';
import { describeRoundTrips } from './round-trips.ts';

describeRoundTrips('PostgreSQL', async () =>
  openDatabase(await sharedPostgresDatabase(), { name: false, log: 'silent' }),
);
