import {
  createTransactional,
  createTransactionalDecorator,
  type Transactional as TransactionalFunction,
  type TransactionalDecorator,
} from '../transaction/index.ts';
import { getDb } from './registry.ts';

/**
 * `transactional(fn, options)`: the function, run in a transaction of an open database each time it is
 * called.
 */
export const transactional: TransactionalFunction = createTransactional(getDb);

/** `@Transactional(options)`: the same for a method (TC39 decorators). */
export const Transactional: TransactionalDecorator = createTransactionalDecorator(getDb);
