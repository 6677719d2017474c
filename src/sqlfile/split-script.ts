import { Scanner } from './scanner.ts';

/**
 * The statements of a script, as far as its semicolons tell: where one stands in the body of a trigger or a
 * function the pieces are no statements, which the engine says of them.
 */
export function splitScript(text: string): string[] {
  const scanner = new Scanner(text);
  const pieces: string[] = [];
  let start: number | undefined;
  let end = 0;
  const finish = (): void => {
    if (start !== undefined) pieces.push(text.slice(start, end));
    start = undefined;
  };
  while (scanner.next()) {
    if (scanner.kind === 'semicolon') finish();
    else if (scanner.kind !== 'line-comment' && scanner.kind !== 'block-comment') {
      start ??= scanner.start;
      end = scanner.end;
    }
  }
  finish();
  return pieces;
}
