/**
 * The seed of this run: MILLPOND_FAULT_SEED, or another each time. Printed, so that a failure can be met
 * again.
 */
export function seedOfThisRun(): number {
  const seed = Number(process.env['MILLPOND_FAULT_SEED'] ?? Math.trunc(Math.random() * 2 ** 31));
  console.log(`seed ${seed} (repeat it with MILLPOND_FAULT_SEED=${seed})`);
  return seed;
}
