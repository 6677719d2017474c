import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Metrics } from '../../../src/metrics/index.ts';
import { observedDatabase } from '../../fixtures/observed-database.ts';
import { expectAtRest, openScratch } from '../../fixtures/scratch-database.ts';

const FOLDER = new URL('../../../docs/grafana/', import.meta.url);

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource: { readonly uid: string };
  readonly targets: readonly { readonly expr: string; readonly refId: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly for: string;
      readonly labels: { readonly severity: string };
      readonly annotations: { readonly summary: string; readonly description: string };
    }[];
  }[];
}

const dashboard = JSON.parse(readFileSync(new URL('dashboard.json', FOLDER), 'utf8')) as Dashboard;
const { groups } = parse(readFileSync(new URL('alerts.yaml', FOLDER), 'utf8')) as Rules;
const rules = groups.flatMap((group) => group.rules);

/** Every series that is exported, and its labels, by a database and a cache in use. */
async function exported(): Promise<Map<string, Set<string>>> {
  const { db } = await openScratch('create table t (id integer primary key)');
  const metrics = new Metrics();
  metrics.watch(db);
  const postgres = { groupCommits: 1, groupedWrites: 1, shared: 1, alone: 1 };
  metrics.watch(observedDatabase('far', { postgres }));
  metrics.watchCache('users', { stats: () => ({ hits: 1, misses: 1 }) });
  await metrics.runInRequest({ route: 'GET /' }, () => db.run('insert into t values (1)'));
  const series = new Map<string, Set<string>>();
  for (const { name, samples } of metrics.families()) {
    for (const { suffix = '', labels } of samples) {
      const known = series.get(name + suffix) ?? new Set();
      for (const label of Object.keys(labels)) known.add(label);
      series.set(name + suffix, known);
    }
  }
  metrics.close();
  await expectAtRest(db);
  return series;
}

describe('the Grafana dashboard and the alert rules (M12)', () => {
  test('ask for nothing but what is exported, by labels that it has', async () => {
    const series = await exported();
    const expressions = [
      ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
      ...rules.map(({ expr }) => expr),
    ];
    const asked = expressions.flatMap((expr) => [...expr.matchAll(/\b(millpond_\w+)(?:\{([^}]*)\})?/g)]);
    expect(asked.length).toBeGreaterThan(50);
    for (const [, name, selector = ''] of asked) {
      expect([...series.keys()]).toContain(name);
      for (const [, label] of selector.matchAll(/(\w+)=~?"/g))
        expect([...series.get(name!)!]).toContain(label);
    }
  });

  test('name every kind of figure at least once', async () => {
    const text = JSON.stringify([dashboard.panels, rules]);
    const unnamed = [...(await exported()).keys()].filter(
      (name) => !text.includes(name.replace(/_(bucket|sum|count)$/, '')),
    );
    expect(unnamed.toSorted((a, b) => a.localeCompare(b))).toEqual([
      'millpond_pool_created_total',
      'millpond_pool_retired_total',
      'millpond_postgres_alone_total',
      'millpond_postgres_shared_total',
      'millpond_route_database_seconds_total',
      'millpond_route_rows_total',
      'millpond_sqlite_checkpoints_total',
      'millpond_sqlite_group_replays_total',
      'millpond_statement_calls_total',
      'millpond_statement_errors_total',
      'millpond_statement_rows_total',
      'millpond_transactions_started_total',
    ]);
  });

  test('load as they are: the data source is chosen there, panels do not lie on each other', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = new Set<string>();
    for (const { gridPos, datasource, title, targets } of panels) {
      expect(datasource.uid).toBe('${datasource}');
      expect(title).not.toBe('');
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(cells.has(`${x} ${y}`), `${title} lies on another`).toBe(false);
          cells.add(`${x} ${y}`);
        }
      }
    }
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'database', 'route']);
  });

  test('say of each alert what happened, how bad it is, and where to look', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const rule of rules) {
      expect(rule.alert).toMatch(/^Millpond[A-Z]\w+$/);
      expect(rule.for).toMatch(/^\d+m$/);
      expect(['critical', 'warning', 'info']).toContain(rule.labels.severity);
      expect(rule.annotations.summary.length).toBeGreaterThan(20);
      expect(rule.annotations.description.length).toBeGreaterThan(20);
      expect(rule.expr.split('(').length).toBe(rule.expr.split(')').length);
    }
  });
});
