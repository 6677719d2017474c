#!/usr/bin/env node
// Node before 24 lacks what the rest needs: it is told before any of it is loaded.
const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 24) {
  console.error(`millpond needs Node 24 or later; this is Node ${process.versions.node}.`);
  process.exit(2);
}

const { runCli } = await import('./program.ts');
const interrupt = new AbortController();
process.once('SIGINT', () => {
  interrupt.abort(new DOMException('Interrupted.', 'AbortError'));
  // A second Ctrl-C ends what does not listen.
  process.once('SIGINT', () => process.exit(130));
});
const terminal = {
  isTty: process.stdout.isTTY && process.stdin.isTTY,
  out: (text: string): void => void process.stdout.write(`${text}\n`),
  error: (text: string): void => void process.stderr.write(`${text}\n`),
};
process.exitCode = await runCli(process.argv.slice(2), terminal, interrupt.signal);

export {};
