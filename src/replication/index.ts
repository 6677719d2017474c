export { LagMeter } from './lag-meter.ts';
export { formatLsn, parseLsn } from './lsn.ts';
export { later, WriteMarks, type WriteMark } from './write-marks.ts';
