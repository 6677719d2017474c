/** @returns a sentence that says why not, or undefined where the database is ready */
type ReadinessCheck = () => string | undefined | Promise<string | undefined>;

/** What must hold, beyond that the database answers, before it is given requests. */
export class Readiness {
  readonly #checks = new Map<string, ReadinessCheck>();

  /** Replaces the check of that name. */
  require(name: string, check: ReadinessCheck): void {
    this.#checks.set(name, check);
  }

  /** Why the database is not ready, in sentences. Never rejects. */
  async unmet(): Promise<string[]> {
    const answers = await Promise.all([...this.#checks].map(([name, check]) => ask(name, check)));
    return answers.filter((answer) => answer !== undefined);
  }
}

async function ask(name: string, check: ReadinessCheck): Promise<string | undefined> {
  try {
    return await check();
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
