import { StringDecoder } from 'node:string_decoder';

/** Lines out of chunks that may end anywhere: within a line, or within a character. */
export class LineSplitter {
  readonly #longest: number;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  /** The rest of a line that was too long is left out. */
  #isSkipping = false;

  /** @param longest characters; what goes on for longer is given as one line, cut off there */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** The lines that end in this chunk, without empty ones. */
  linesOf(chunk: string | Buffer): string[] {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk);
    const [first = '', ...others] = text.split('\n');
    const lines = others.length === 0 ? [] : [this.#end(first), ...others.slice(0, -1)];
    this.#rest += others.at(-1) ?? (this.#isSkipping ? '' : first);
    if (this.#rest.length > this.#longest) {
      lines.push(this.#end(''));
      this.#isSkipping = true;
    }
    return lines.filter((line) => line !== '');
  }

  /** What is left when nothing more comes. */
  end(): string[] {
    const line = this.#end(this.#decoder.end());
    return line === '' ? [] : [line];
  }

  #end(last: string): string {
    const line = this.#isSkipping ? '' : this.#rest + last;
    this.#rest = '';
    this.#isSkipping = false;
    return line;
  }
}
