import { styleText } from 'node:util';

type Colour = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan' | 'heading';

/** Colours text on a terminal; leaves it alone in a pipe and with NO_COLOR. */
export function paint(colour: Colour, text: string): string {
  return styleText(colour === 'heading' ? ['bold', 'cyan'] : colour, text, { stream: process.stdout });
}
