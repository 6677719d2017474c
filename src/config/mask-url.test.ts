import { describe, expect, it } from 'vitest';
import { maskUrl } from './mask-url.ts';

describe('maskUrl', () => {
  it.each([
    ['postgres://app:CANARY@db.example:5432/main', 'postgres://app:***@db.example:5432/main'],
    ['postgres://app:CANARY@[::1]:5432/main', 'postgres://app:***@[::1]:5432/main'],
    ['postgres://app:CAN%40ARY@db/main', 'postgres://app:***@db/main'],
    ['postgres://app:CAN@ARY@db/main', 'postgres://app:***@db/main'],
    ['postgres://app:CAN:ARY@db/main', 'postgres://app:***@db/main'],
    ['postgres://app:CAN/ARY@db/main', 'postgres://***'],
    ['postgres://app:CAN?ARY@db/main', 'postgres://***'],
    ['postgres://app:CAN#ARY@db/main', 'postgres://***'],
    ['postgres://db/main?password=CAN@ARY', 'postgres://***'],
    ['postgres://app:CANARY', 'postgres://app:***'],
    ['postgres://app:CANARY/main', 'postgres://app:***'],
    ['postgres://db/main?sslmode=require&password=CANARY', 'postgres://db/main?sslmode=require&password=***'],
    ['postgres://db/main?Api_Key=CANARY&x=1', 'postgres://db/main?Api_Key=***&x=1'],
    ['mysql://app:CANARY@db/main', 'mysql://app:***@db/main'],
    ['postgres:app:CANARY@db/main', '***'],
    ['app:CANARY@db/main', '***'],
    ['CANARY', '***'],
    ['', '***'],
  ])('shows %s as %s', (url, shown) => {
    expect(maskUrl(url)).toBe(shown);
  });

  it.each([
    ['postgres://app@db/main'],
    ['postgres://db:5432/main'],
    ['postgres://[::1]:5432/main'],
    ['postgres://db'],
    ['sqlite:data/app.db'],
    ['sqlite:///var/lib/a@b.db'],
    ['sqlite::memory:'],
    ['file:app.db?pool_max=4'],
    ['data/app.sqlite3'],
  ])('shows %s as it is', (url) => {
    expect(maskUrl(url)).toBe(url);
  });
});
