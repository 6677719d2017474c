import { availableParallelism, cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { LoopProbe } from './loop-probe.ts';

/** Named figures of one cell in one round. */
export type Metrics = Readonly<Record<string, number>>;

/** What every measured stretch of work tells. */
export interface Cost extends Metrics {
  readonly elapsedMs: number;
  readonly mainCpuMs: number;
  readonly allCpuMs: number;
  readonly loopUtilization: number;
  readonly rssMb: number;
  /** Cores kept busy by other programs meanwhile, as a share of all cores: the noise of the machine. */
  readonly othersShare: number;
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  readonly nodeLoopP99Ms: number;
  /** The stricter reading of the two, which the goals go by. */
  readonly loopDelayP99Ms: number;
}

const MB = 1024 * 1024;

/** What a stretch of work cost this process: event loop, main thread, all threads, memory. */
export class Meter {
  readonly #probe = new LoopProbe();
  #startedAt = 0;
  #thread = process.threadCpuUsage();
  #process = process.cpuUsage();
  #machineMs = busyMsOfMachine();
  #loop = performance.eventLoopUtilization();

  async start(): Promise<void> {
    // Everyone starts from a collected heap, so that nobody pays for the seed or the warm-up.
    globalThis.gc?.();
    await this.#probe.start();
    this.#thread = process.threadCpuUsage();
    this.#process = process.cpuUsage();
    this.#machineMs = busyMsOfMachine();
    this.#loop = performance.eventLoopUtilization();
    this.#startedAt = performance.now();
  }

  /** Call in the turn in which the work ended. */
  async stop(): Promise<Cost> {
    const elapsedMs = performance.now() - this.#startedAt;
    const thread = process.threadCpuUsage(this.#thread);
    const all = process.cpuUsage(this.#process);
    const loop = performance.eventLoopUtilization(this.#loop);
    const allCpuMs = (all.user + all.system) / 1_000;
    const othersMs = busyMsOfMachine() - this.#machineMs - allCpuMs;
    const rssMb = process.memoryUsage.rss() / MB;
    const delay = await this.#probe.stop();
    return {
      elapsedMs,
      mainCpuMs: (thread.user + thread.system) / 1_000,
      allCpuMs,
      othersShare: Math.max(othersMs, 0) / (elapsedMs * availableParallelism()),
      loopUtilization: loop.utilization,
      rssMb,
      loopP99Ms: delay.p99Ms,
      loopMaxMs: delay.maxMs,
      nodeLoopP99Ms: delay.nodeP99Ms,
      loopDelayP99Ms: Math.max(delay.p99Ms, delay.nodeP99Ms),
    };
  }
}

function busyMsOfMachine(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}
