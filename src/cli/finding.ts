/** One thing that was looked at. */
export interface Finding {
  readonly what: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly message: string;
}

/** What a look gave: a sentence, or a sentence with a status. */
export type Look = string | { readonly status: Finding['status']; readonly message: string };

/** Looks, and takes a failure for a finding as well. */
export async function look(what: string, at: () => Promise<Look>): Promise<Finding> {
  try {
    const seen = await at();
    return typeof seen === 'string' ? { what, status: 'ok', message: seen } : { what, ...seen };
  } catch (error) {
    return { what, status: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

/** A warning, or nothing to warn of. */
export function warnIf(isWorth: boolean, warning: string, fine: string): Look {
  return isWorth ? { status: 'warning', message: warning } : fine;
}
