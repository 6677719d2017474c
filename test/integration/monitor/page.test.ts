import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { Metrics } from '../../../src/metrics/index.ts';
import { createMonitor } from '../../../src/monitor/index.ts';
import { monitorServer, type MonitorServer } from '../../fixtures/monitor-server.ts';
import { expectAtRest } from '../../fixtures/scratch-database.ts';

const CHROMIUM = '/usr/bin/chromium';
const TOKEN = 'the token of this test';
const XSS = '"><img src=x onerror=document.title=1>';
const SCHEMA = `
  create table cities (id integer primary key, name text);
  create table notes (id integer primary key, city_id integer, title text);
  insert into cities select value, 'city ' || value from json_each('[1,2,3,4,5,6,7,8,9,10,11,12]');`;

const WATCH_STATUS = `globalThis.said = [];
  new MutationObserver(() => said.push(document.getElementById('status').textContent))
    .observe(document.getElementById('status'), { childList: true, characterData: true, subtree: true });`;

let folder: string;
let db: Database;
let metrics: Metrics;
let server: MonitorServer;
let browser: Browser;
let page: Page;
let faults: string[];

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) throw new Error(`There is no ${CHROMIUM}: apt-get install chromium.`);
  folder = mkdtempSync(join(tmpdir(), 'millpond-monitor-'));
  db = await openDatabase({ url: `sqlite:${join(folder, 'shop.db')}`, name: 'shop', log: 'silent' });
  await db.script(SCHEMA);
  metrics = new Metrics();
  const cache = {
    name: 'cities',
    stats: () => ({ hits: 3, misses: 1 }),
    clear: () => undefined,
    cleanup: () => 0,
  };
  server = await monitorServer(
    createMonitor({ databases: [db], metrics, caches: [cache], token: TOKEN, sampleMs: 200 }),
  );
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
  browser = await chromium.launch({ executablePath: CHROMIUM, args });
});

afterAll(async () => {
  await browser.close();
  await server.close();
  metrics.close();
  await expectAtRest(db);
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

afterEach(async () => {
  await page.context().close();
  // Whatever a test did: no script failed, and nothing was asked of anybody else, or refused by the policy.
  expect(faults).toEqual([]);
});

/** What an application does: a list, a query in a loop, a write, an error with markup in its text. */
async function traffic(): Promise<void> {
  await metrics.runInRequest({ route: 'GET /cities' }, async () => {
    for (const city of await db.all<{ id: number }>('select id from cities'))
      await db.all('select * from notes where city_id = ?', [city.id]);
  });
  await db.run('insert into notes (city_id, title) values (?, ?)', [1, 'the-canary'], { name: 'addNote' });
  await db.all(`select "${XSS.replaceAll('"', '""')}" from missing`).catch(() => undefined);
}

async function open(options: BrowserContextOptions = {}, address = server.url): Promise<Page> {
  faults = [];
  const credentials = { username: 'any', password: TOKEN };
  const context = await browser.newContext({ httpCredentials: credentials, ...options });
  page = await context.newPage();
  page.on('console', (line) => void (line.type() === 'error' && faults.push(line.text())));
  page.on('pageerror', (error) => void faults.push(error.message));
  page.on('request', (request) => void (request.url().startsWith(address) || faults.push(request.url())));
  await page.goto(`${address}/monitoring`);
  await page.getByText('live', { exact: true }).waitFor();
  return page;
}

const statements = () => page.locator('#statements tbody tr:not(.detail)');

describe('the page of a monitor', () => {
  test('shows figures that move, and charts that are drawn', async () => {
    await open();
    await traffic();
    await page.locator('#statements').getByText('addNote').waitFor();
    expect(await page.locator('#tiles dt').count()).toBe(12);
    expect(await page.locator('.plot canvas').count()).toBe(6);
    const label = page.locator('.plot').first();
    const before = await label.getAttribute('aria-label');
    const canvas = () =>
      page
        .locator('.plot canvas')
        .first()
        .evaluate((node: { toDataURL(): string }) => node.toDataURL());
    const drawn = await canvas();
    await traffic();
    await expect.poll(() => label.getAttribute('aria-label')).not.toBe(before);
    await expect.poll(canvas).not.toBe(drawn);
    expect(before).toMatch(/^Throughput, per second, now: statements /);
  });

  test('filters statements, sorts them, and shows a plan with its advice', async () => {
    await traffic();
    await open();
    await expect.poll(() => statements().count()).toBeGreaterThan(3);
    await page.getByLabel('Filter').fill('notes city_id = ');
    await expect.poll(() => statements().count()).toBe(1);
    await statements().getByRole('button').press('Enter');
    await page.getByRole('button', { name: 'Show plan and advice' }).click();
    await page.getByText('create index on_notes_city_id on notes (city_id)').waitFor();
    await page.getByLabel('Filter').fill('');
    const calls = page.locator('#statements thead').getByRole('button', { name: 'Calls' });
    await calls.click();
    await calls.click();
    const header = page.locator('#statements th', { hasText: 'Calls' });
    expect(await header.getAttribute('aria-sort')).toBe('ascending');
  });

  test('names queries in loops, errors and caches', async () => {
    await traffic();
    await open();
    await page.locator('#loops').getByText('GET /cities').first().waitFor();
    await page.locator('#loops').getByText('city_id in (…)').first().waitFor();
    await page.locator('#problems').getByText('ERR_MILLPOND_QUERY').first().waitFor();
    await page.locator('#caches').getByText('75.0 %').waitFor();
    await page.locator('#caches').getByRole('button', { name: 'Clear' }).click();
    await page.locator('#caches').getByText('Cleared.').waitFor();
    expect(await page.locator('#loops .card').count()).toBe(1);
  });

  test('shows markup in SQL as text, and no bound value (C70, B18)', async () => {
    await traffic();
    await open();
    await page.locator('#problems').getByText('onerror').first().waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('millpond monitor');
    expect(await page.content()).not.toContain('the-canary');
  });

  test('has two themes, and remembers which was chosen', async () => {
    const theme = () => page.locator('html').getAttribute('data-theme');
    const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    await open({ colorScheme: 'dark' });
    expect(await theme()).toBe('dark');
    const dark = await background();
    await page.getByLabel('Theme').selectOption('light');
    expect(await theme()).toBe('light');
    expect(await background()).not.toBe(dark);
    await page.reload();
    await page.getByText('live', { exact: true }).waitFor();
    expect(await theme()).toBe('light');
  });

  test('fits a phone: nothing is wider than the screen', async () => {
    await traffic();
    await open({ viewport: { width: 360, height: 740 } });
    await expect.poll(() => statements().count()).toBeGreaterThan(3);
    expect(await page.locator('html').evaluate((root: { scrollWidth: number }) => root.scrollWidth)).toBe(
      360,
    );
  });

  test('shows on a phone what was opened, and each problem under its titles, without moving aside', async () => {
    await traffic();
    await open({ viewport: { width: 360, height: 740 } });
    await statements().getByRole('button').first().click();
    const rightEdge = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate(
          (node: { getBoundingClientRect(): { right: number } }) => node.getBoundingClientRect().right,
        );
    expect(await rightEdge('#statements .detail pre')).toBeLessThan(360);
    expect(await rightEdge('#problems td:last-child')).toBeLessThan(360);
    const label = `getComputedStyle(document.querySelector('#problems td[data-label="Message"]'), '::before')`;
    expect(await page.evaluate<string>(`${label}.content`)).toBe('"Message"');
  });

  test('says that a section stands still while something in it is open, and goes on afterwards', async () => {
    const loops = () => page.locator('#loops');
    await traffic();
    await open();
    const summary = loops().locator('summary').first();
    await summary.click();
    await metrics.runInRequest({ route: 'GET /another' }, async () => {
      for (let id = 0; id < 12; id += 1) await db.all('select title from notes where id = ?', [id]);
    });
    await expect.poll(() => loops().locator('.body').getAttribute('data-still')).toBe('');
    expect(await loops().getByText('GET /another').count()).toBe(0);
    await summary.click();
    await page.evaluate('document.activeElement.blur()');
    await loops().getByText('GET /another').first().waitFor();
    expect(await loops().locator('.body').getAttribute('data-still')).toBe(null);
  });

  test('says since when there is no connection', async () => {
    const ended = await monitorServer(createMonitor({ databases: [db], metrics, token: TOKEN }));
    try {
      await open({}, ended.url);
    } finally {
      await ended.close();
    }
    const said = page.locator('#status[data-state="down"]');
    await said.waitFor();
    expect(await said.textContent()).toMatch(/^no connection since \d\d:\d\d:\d\d; trying again$/);
    faults = faults.filter((fault) => !fault.includes('ERR_'));
  });

  test('does not call live what has fallen silent, and asks again', async () => {
    const monitor = createMonitor({ databases: [db], metrics, token: TOKEN });
    const answer = monitor.handle.bind(monitor);
    let isSilent = true;
    // As from a server that hangs, or over a connection that died unnoticed: nothing comes, nothing ends.
    monitor.handle = async (request) => {
      if (!isSilent || !request.url.endsWith('/events')) return await answer(request);
      const opening = new TextEncoder().encode('event: history\ndata: []\n\n');
      const body = new ReadableStream({ start: (controller) => controller.enqueue(opening) });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    };
    const silent = await monitorServer(monitor);
    try {
      await open({}, silent.url);
      await page.clock.install();
      await page.reload();
      await page.getByText('live', { exact: true }).waitFor();
      isSilent = false;
      await page.clock.runFor(9_000);
      expect(await page.locator('#status').textContent()).toBe('live');
      await page.evaluate(WATCH_STATUS);
      await page.clock.runFor(2_000);
      await page.getByText('live', { exact: true }).waitFor();
      expect(await page.evaluate<string[]>('said')).toEqual([
        expect.stringMatching(/^nothing heard since \d\d:\d\d:\d\d; trying again$/),
        'live',
      ]);
      await page.locator('#tiles dt').first().waitFor();
    } finally {
      await page.close();
      await silent.close();
    }
  });

  test('can be paused, and resets what was counted', async () => {
    await traffic();
    await open();
    await expect.poll(() => statements().count()).toBeGreaterThan(3);
    await page.getByRole('button', { name: 'Pause' }).click();
    const still = await page.locator('.plot').first().getAttribute('aria-label');
    await traffic();
    await page.waitForTimeout(500);
    expect(await page.locator('.plot').first().getAttribute('aria-label')).toBe(still);
    await page.getByLabel('Filter').fill('nothing has this text');
    await page.locator('#statements').getByText('None yet, or none that the filter finds.').waitFor();
    await page.getByLabel('Filter').fill('');
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Reset statements and routes' }).click();
    await page.getByText('Reset.', { exact: true }).waitFor();
    await page.mouse.move(0, 0);
    await expect.poll(() => metrics.snapshot().databases[0]!.statements.length).toBeLessThan(2);
  });

  test('is usable by keyboard: each control has a name, the first leads past the head', async () => {
    await open();
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toBe('Skip to the figures');
    await page.keyboard.press('Enter');
    expect(await page.locator(':focus').getAttribute('id')).toBe('main');
    for (const role of ['button', 'combobox', 'searchbox', 'link'] as const) {
      const unnamed = await page.getByRole(role, { name: /^$/ }).count();
      expect([role, unnamed]).toEqual([role, 0]);
    }
    const headings = await page.getByRole('heading').allTextContents();
    expect(headings).toEqual(
      expect.arrayContaining(['millpond', 'Overview', 'Statements', 'Routes', 'Caches']),
    );
  });
});
