/** What is used of the package, which has no types of its own. */
declare module 'autocannon' {
  interface Options {
    readonly url: string;
    /** In seconds. */
    readonly duration: number;
    readonly connections: number;
    readonly headers?: Readonly<Record<string, string>>;
  }

  interface Result {
    readonly requests: { readonly average: number };
  }

  function autocannon(options: Options): Promise<Result>;

  export { autocannon as default };
}
