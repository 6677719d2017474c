import { DatabaseSync } from 'node:sqlite';
import { Child, ONE_CONNECTION, type ChildEnd } from './child.ts';
import { readShim, shimEnvironment, type Fault } from './io-shim.ts';
import { Ledger } from './ledger.ts';
import { readContent, type Content } from './parts.ts';
import type { Scratch } from './scratch.ts';

/** What a child that wrote through a fault told, and left behind. */
export interface FaultRun {
  readonly ledger: Ledger;
  /** `health faulty` → `down ERR_…`, `read healed` → `ok`. */
  readonly looks: ReadonlyMap<string, string>;
  readonly end: ChildEnd;
  readonly content: Content;
  /** Calls that fitted the fault, and those that were hit. */
  readonly seen: number;
  readonly hits: number;
}

/** Runs `write-through-faults` on a new file. The shim must have been built in `scratch`. */
export async function runThroughFault(
  scratch: Scratch,
  name: string,
  fault: Fault,
  { dies = false, isPooled = true }: { readonly dies?: boolean; readonly isPooled?: boolean } = {},
): Promise<FaultRun> {
  const path = scratch.file(`${name}.db`);
  const ledger = new Ledger();
  const looks = new Map<string, string>();
  const child = new Child('write-through-faults', [path, dies ? 'dies' : 'lives'], {
    isCovered: fault.action > 0 && !dies,
    env: { ...shimEnvironment(scratch, path, fault), ...(isPooled ? {} : ONE_CONNECTION) },
    onLine: (line) => {
      ledger.take(line);
      const [word = '', phase = '', ...rest] = line.split(' ');
      if (word === 'health' || word === 'read') looks.set(`${word} ${phase}`, rest.join(' ').trim());
    },
  });
  const end = await child.ended;
  const database = new DatabaseSync(path);
  try {
    return { ledger, looks, end, content: readContent(database), ...readShim(path) };
  } finally {
    database.close();
  }
}
