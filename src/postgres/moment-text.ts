const MOMENT =
  /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/;

const ZERO = 0x30;
const PLUS = 0x2b;
const MINUS = 0x2d;
const COLON = 0x3a;
const POINT = 0x2e;
const SPACE = 0x20;
/** `2026-11-21 11:27:22`; a fraction and the zone stand behind it. */
const SECONDS_END = 19;

/**
 * The same as `readMoment`, from the bytes of the text: most have a year of four digits and whole hours of
 * zone.
 */
export function decodeMoment(buffer: Buffer, start: number, end: number): Date | number | string {
  return decodeUsual(buffer, start, end) ?? readMoment(buffer.toString('latin1', start, end));
}

function decodeUsual(buffer: Buffer, start: number, end: number): Date | undefined {
  const sign = buffer[end - 3];
  if ((sign !== PLUS && sign !== MINUS) || buffer[start + 10] !== SPACE || buffer[start + 16] !== COLON) {
    return undefined;
  }
  const year = two(buffer, start) * 100 + two(buffer, start + 2);
  // Date.UTC takes years below 100 to be in the twentieth century.
  if (year < 100) return undefined;
  const zoneHours = two(buffer, end - 2);
  return new Date(
    Date.UTC(
      year,
      two(buffer, start + 5) - 1,
      two(buffer, start + 8),
      two(buffer, start + 11) - (sign === PLUS ? zoneHours : -zoneHours),
      two(buffer, start + 14),
      two(buffer, start + 17),
      milliseconds(buffer, start + SECONDS_END, end - 3),
    ),
  );
}

function two(buffer: Buffer, at: number): number {
  return (buffer[at]! - ZERO) * 10 + buffer[at + 1]! - ZERO;
}

/** Of a fraction that begins with its point; finer digits are cut off. */
function milliseconds(buffer: Buffer, start: number, end: number): number {
  if (buffer[start] !== POINT) return 0;
  let value = 0;
  for (let digit = 1; digit <= 3; digit += 1) {
    const at = start + digit;
    value = value * 10 + (at < end ? buffer[at]! - ZERO : 0);
  }
  return value;
}

/**
 * A timestamptz as a Date, to the millisecond; ±Infinity for what PostgreSQL calls infinity. A year that no
 * Date reaches stays text. https://www.postgresql.org/docs/current/datatype-datetime.html
 */
export function readMoment(text: string): Date | number | string {
  const parts = MOMENT.exec(text);
  if (parts === null) return readSpecial(text);
  const [, year, month, day, hour, minute, second, fraction = '0', sign, zoneHours, ...zoneRest] = parts;
  const [zoneMinutes = '0', zoneSeconds = '0', era] = zoneRest;
  // The server's calendar has no year 0: its 1 BC is year 0 of a Date.
  const fullYear = era === undefined ? Number(year) : 1 - Number(year);
  const ms = Math.trunc(Number(`0.${fraction}`) * 1_000 + 1e-6);
  const moment = new Date(0);
  moment.setUTCFullYear(fullYear, Number(month) - 1, Number(day));
  moment.setUTCHours(Number(hour), Number(minute), Number(second), ms);
  const zoneMs = (Number(zoneHours) * 3_600 + Number(zoneMinutes) * 60 + Number(zoneSeconds)) * 1_000;
  const time = moment.getTime() - (sign === '-' ? -zoneMs : zoneMs);
  const result = new Date(time);
  return Number.isNaN(result.getTime()) ? text : result;
}

function readSpecial(text: string): number | string {
  if (text === 'infinity') return Infinity;
  return text === '-infinity' ? -Infinity : text;
}
