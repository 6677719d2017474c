/** `millpond/monitor`, and `millpond/metrics`, whose figures it shows. */
export { createMonitor } from '../../../../src/monitor/index.ts';
export { Metrics } from '../../../../src/metrics/index.ts';
