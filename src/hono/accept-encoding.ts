export type Encoding = 'br' | 'gzip';

/**
 * The encoding to answer with: of those that the client takes, the one it likes best, and among equals the
 * first of ours. None where it prefers the plain text. https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
 */
export function chooseEncoding(header: string, ours: readonly Encoding[]): Encoding | undefined {
  if (header.length > 1_000) return undefined;
  const weights = new Map<string, number>();
  for (const part of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((one) => one.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)));
  }
  let best: Encoding | undefined;
  let bestWeight = 0;
  for (const encoding of ours) {
    const weight = weights.get(encoding) ?? weights.get('*') ?? 0;
    if (weight > bestWeight) [best, bestWeight] = [encoding, weight];
  }
  return (weights.get('identity') ?? 0) > bestWeight ? undefined : best;
}
