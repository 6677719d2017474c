export function withRollback(): void {}
