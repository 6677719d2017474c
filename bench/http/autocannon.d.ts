/** What is used of the package, which has no types of its own. */
declare module 'autocannon' {
  interface Options {
    readonly url: string;
    /** Requests. */
    readonly amount: number;
    readonly connections: number;
    /** Between two looks at what was answered, in milliseconds. */
    readonly sampleInt: number;
    readonly headers?: Readonly<Record<string, string>>;
  }

  interface Result {
    /** Answers with such a status. */
    readonly '2xx': number;
  }

  function autocannon(options: Options): Promise<Result>;

  export { autocannon as default };
}
