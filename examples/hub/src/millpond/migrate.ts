/** `millpond/migrate` */
export { migrate } from '../../../../src/migrate/index.ts';
