import { repositorySuite } from './repository-suite.ts';
import { openSqliteStage } from './sqlite-stage.ts';

repositorySuite('SQLite', openSqliteStage);
