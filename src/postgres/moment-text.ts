const MOMENT =
  /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/;

/**
 * A timestamptz as a Date, to the millisecond; ±Infinity for what PostgreSQL calls infinity. A year that no
 * Date reaches stays text. https://www.postgresql.org/docs/current/datatype-datetime.html
 */
export function readMoment(text: string): Date | number | string {
  const parts = MOMENT.exec(text);
  if (parts === null) return readSpecial(text);
  const [, year, month, day, hour, minute, second, fraction = '0', sign, zoneHours, ...zoneRest] = parts;
  const [zoneMinutes = '0', zoneSeconds = '0', era] = zoneRest;
  // There is no year 0 in the server's calendar: 1 BC is a Date's year 0.
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
