/** A module of millpond, by its path without ending: from `src/`, or as built with `--dist`. */
export async function importMillpond<Module>(path: string): Promise<Module> {
  const built = process.env['BENCH_SOURCE'] === 'dist';
  const file = built ? `../../dist/${path}.js` : `../../src/${path}.ts`;
  return (await import(file)) as Module;
}
