/**
 * Prints `N passed, N failed` from a report of vitest's JSON reporter: node scripts/count-tests.ts
 * report.json
 */
import { readFileSync } from 'node:fs';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: {
    readonly status: string;
    readonly assertionResults: { readonly status: string }[];
  }[];
}

const [path = ''] = process.argv.slice(2);
const text = readFileSync(path, 'utf8');
// Vitest writes it at its end, so a run that was cut off has none.
if (text === '') console.log('The tests did not come to their end: there is no report.');
const { passed, failed } = text === '' ? { passed: 0, failed: 1 } : countsOf(JSON.parse(text) as Report);
console.log(`${passed} passed, ${failed} failed`);

function countsOf(report: Report): { readonly passed: number; readonly failed: number } {
  // A file that cannot even be loaded fails without a single failed test in it: it counts as one.
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((assertion) => assertion.status !== 'failed'),
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + brokenFiles.length };
}
