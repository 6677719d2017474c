/** Both engines take every character outside ASCII for a letter. */
const WORD_START = tableOf('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_');
const WORD_PART = tableOf('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789$');

/** May begin a name or keyword. False for NaN, the code behind the end of a text. */
export function isWordStart(code: number): boolean {
  return code < 128 ? WORD_START[code] === 1 : code >= 128;
}

/** May stand inside a name or keyword. */
export function isWordPart(code: number): boolean {
  return code < 128 ? WORD_PART[code] === 1 : code >= 128;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
