import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { table } from '../../e2e/routes';

/** The addresses a router's source names; the route without a path takes what is left, and the desk's leads home. */
function routesOf(file: string): string[] {
  const source = readFileSync(path.resolve(import.meta.dirname, '..', file), 'utf8');
  return [...source.matchAll(/<Route(?:\s+path="([^"]+)")?[\s>]/g)].map((m) => m[1] ?? '*');
}

test('every address of the routers is in the table of the journeys, and no other', () => {
  const found = new Set([...routesOf('routes/Routes.tsx'), ...routesOf('pro/ProRoutes.tsx')]);
  expect(found.size).toBeGreaterThan(10);
  expect([...found].sort()).toEqual(table.map((r) => r.path).sort());
});

test('no other file routes', () => {
  const src = path.resolve(import.meta.dirname, '..');
  const routers = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.tsx') && /<Route[\s>]/.test(readFileSync(path.join(src, f), 'utf8')));
  expect(routers.sort()).toEqual(['pro/ProRoutes.tsx', 'routes/Routes.tsx']);
});
