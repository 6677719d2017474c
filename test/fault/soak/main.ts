/**
 * Runs the mixed load with random faults for as long as it is told: `node --unhandled-rejections=strict
 * test/fault/soak/main.ts [--minutes n] [--seed n]`. Prints its figures as JSON; ends with 1 when a promise was
 * broken.
 */
import { parseArgs } from 'node:util';
import { soak } from './soak.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes ?? 10);
const seed = Number(values.seed ?? Math.trunc(Math.random() * 2 ** 31));
const { counts, broken } = await soak({ minutes, seed });
console.log(JSON.stringify({ minutes, seed, counts, broken }));
if (broken.length > 0) process.exitCode = 1;
