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
const report = JSON.parse(readFileSync(path, 'utf8')) as Report;

// A file that cannot even be loaded fails without a single failed test in it: it counts as one.
const brokenFiles = report.testResults.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && assertionResults.every((assertion) => assertion.status !== 'failed'),
);

console.log(`${report.numPassedTests} passed, ${report.numFailedTests + brokenFiles.length} failed`);
