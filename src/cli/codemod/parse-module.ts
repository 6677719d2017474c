import { UsageError } from '../../errors/index.ts';
import { isNode, type Node } from './node.ts';

/** Reads one file's text. */
export type Parse = (text: string, path: string) => Node;

/**
 * Babel's parser: it reads TypeScript and JavaScript, is JavaScript itself, and gives the place of
 * everything, so that what is not changed stays as it was written. (TypeScript 7 has no parser for programs.)
 * @throws UsageError where the package is not installed
 */
export async function loadParser(): Promise<Parse> {
  const { parse } = await import('@babel/parser').catch((cause: unknown) => {
    throw new UsageError(
      'millpond codemod needs the package @babel/parser: npm install --save-dev @babel/parser',
      {
        cause,
      },
    );
  });
  return (text, path) => {
    const isTypeScript = /\.[cm]?tsx?$/.test(path);
    const hasMarkup = /\.[jt]sx$/.test(path) || !isTypeScript;
    try {
      const file: unknown = parse(text, {
        sourceType: 'unambiguous',
        allowReturnOutsideFunction: true,
        plugins: [
          ...(isTypeScript ? (['typescript'] as const) : []),
          ...(hasMarkup ? (['jsx'] as const) : []),
          'decorators',
          'explicitResourceManagement',
        ],
      });
      if (!isNode(file)) throw new TypeError('BUG: the parser gave no tree');
      return file['program'] as Node;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const { line = 1, column = 0 } = (error as { loc?: { line: number; column: number } }).loc ?? {};
      const message = error.message.replace(/ \(\d+:\d+\)$/, '');
      throw new UsageError(
        `${path}:${line}:${column + 1}: ${message.replace(/\.?$/, '.')} Nothing was changed.`,
        {
          cause: error,
        },
      );
    }
  };
}
