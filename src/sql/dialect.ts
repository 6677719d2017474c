/** Whose rules a text follows. */
export type Dialect = 'sqlite' | 'postgres';
