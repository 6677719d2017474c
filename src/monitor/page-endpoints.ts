import { readFileSync } from 'node:fs';
// Not by name: only sources need it, and Node before 22.13 has none.
import nodeModule from 'node:module';
import { answer } from './answers.ts';
import type { ResolvedMonitorOptions } from './monitor-options.ts';
import { pageHtml } from './page-html.ts';
import { PAGE_STYLE } from './page-style.ts';

type PageOptions = Pick<ResolvedMonitorOptions, 'basePath' | 'sampleMs'>;
type Pages = Record<string, { readonly GET: (request: Request) => Response }>;

/** The modules of the page, without their extension. `client` is the one that the page names. */
const MODULES = [
  'cache-cards',
  'client',
  'charts',
  'details',
  'dom',
  'keyed-table',
  'numbers',
  'rows',
  'sections',
  'tables',
];
/** This file runs as it was written, or built; the page's modules lie beside it in the same form. */
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const SCRIPT = 'text/javascript; charset=utf-8';
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6" fill="none" ' +
  'stroke="#0b8fb0" stroke-width="2.5"/><path d="M2 8h12a6 6 0 0 1-12 0z" fill="#0b8fb0"/></svg>';
const STYLE = 'text/css; charset=utf-8';

/** The page and everything that it loads, all from here: a fixed list of names, read once. */
export function pageEndpoints({ basePath, sampleMs }: PageOptions): Pages {
  const script = `assets/client.${EXTENSION}`;
  const pages: Pages = {
    '': {
      GET: ({ url }) =>
        answer(pageHtml(script, { base: baseOf(basePath, url), sampleMs }), 'text/html; charset=utf-8'),
    },
    '/assets/icon.svg': { GET: () => answer(ICON, 'image/svg+xml') },
    '/assets/style.css': { GET: () => answer(PAGE_STYLE, STYLE) },
    '/assets/uplot.css': asset(STYLE, () => packageFile('uplot/dist/uPlot.min.css')),
    '/assets/uplot.js': asset(SCRIPT, () => packageFile('uplot/dist/uPlot.iife.min.js')),
  };
  for (const name of MODULES) {
    pages[`/assets/${name}.${EXTENSION}`] = asset(SCRIPT, () => moduleText(name));
  }
  return pages;
}

/**
 * Relative, for a proxy may know the monitor under another path: the page is told only what its own address,
 * which ends with the monitor's name or with a slash, needs to get there.
 */
function baseOf(basePath: string, url: string): string {
  return new URL(url).pathname.endsWith('/') ? '.' : basePath.slice(basePath.lastIndexOf('/') + 1);
}

function asset(contentType: string, read: () => string): { readonly GET: () => Response } {
  let text: string | undefined;
  return { GET: () => answer((text ??= read()), contentType) };
}

function packageFile(specifier: string): string {
  return readFileSync(new URL(import.meta.resolve(specifier)), 'utf8');
}

function moduleText(name: string): string {
  const text = readFileSync(new URL(`./page/${name}.${EXTENSION}`, import.meta.url), 'utf8');
  return EXTENSION === 'ts'
    ? nodeModule.stripTypeScriptTypes(text)
    : text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
}
