export { CaptureRation } from './capture-ration.ts';
export { usersFrames } from './users-frames.ts';
