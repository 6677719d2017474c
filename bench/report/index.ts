export { jsonReport } from './json.ts';
export { markdownReport } from './markdown.ts';
export { clearProgress, showProgress, terminalReport } from './terminal.ts';
