// Plain JavaScript: a worker written in TypeScript would pay for its type stripping at every start.
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';

const db = new Database(workerData.file);
for (const setting of workerData.settings) db.pragma(setting);

parentPort.on('message', (query) => {
  if (query === undefined) {
    db.close();
    parentPort.close();
    return;
  }
  const statement = db.prepare(query.text);
  parentPort.postMessage(
    statement.reader ? statement.all(...query.params) : [statement.run(...query.params)],
  );
});
