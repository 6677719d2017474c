/** A checked value, or what is wrong with it, worded to follow the name of its key. */
export type Checked<T> = { readonly value: T } | { readonly fault: string };
