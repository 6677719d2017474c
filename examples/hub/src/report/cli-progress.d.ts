/** The package has no types of its own; this is what `progress.ts` uses of it. */
declare module 'cli-progress' {
  interface BarOptions {
    readonly stream: NodeJS.WritableStream;
    readonly format: string;
    readonly barsize: number;
    readonly barCompleteChar: string;
    readonly barIncompleteChar: string;
    readonly fps: number;
    readonly clearOnComplete: boolean;
    readonly hideCursor: boolean;
    readonly gracefulExit: boolean;
  }
  export class SingleBar {
    constructor(options: BarOptions);
    start(total: number, current: number, payload: Record<string, string>): void;
    update(current: number, payload: Record<string, string>): void;
    stop(): void;
  }
}
