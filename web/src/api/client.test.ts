import { afterEach, describe, expect, it, vi } from 'vitest';
import { asProblem, Problem, request, requestWithTag, speak } from './client';

function answer(status: number, body: string, headers: Record<string, string> = {}) {
  const fetched = vi.fn<typeof fetch>(async () => new Response(status === 204 ? null : body, { status, headers }));
  vi.stubGlobal('fetch', fetched);
  return fetched;
}

async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  const cause = await promise.then(
    () => null,
    (e: unknown) => e,
  );
  expect(cause).toBeInstanceOf(Problem);
  return cause as Problem;
}

afterEach(() => vi.unstubAllGlobals());

describe('request', () => {
  it('sends language, idempotency key, quoted If-Match and JSON to /api, same-origin and uncached', async () => {
    const fetched = answer(200, '{"ok":true}');
    speak('en');
    await request('/appointments', { method: 'POST', body: { a: 1 }, idempotencyKey: 'k-1', ifMatch: 3 });
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(url).toBe('/api/appointments');
    expect(init).toMatchObject({ method: 'POST', body: '{"a":1}', credentials: 'same-origin', cache: 'no-store' });
    expect(init?.headers).toEqual({
      Accept: 'application/json',
      'Accept-Language': 'en',
      'Content-Type': 'application/json',
      'Idempotency-Key': 'k-1',
      'If-Match': '"3"',
    });
  });

  it('gives the ETag back for a later edit, and does not quote it twice', async () => {
    const fetched = answer(200, '{}', { ETag: '"v7"' });
    const { etag } = await requestWithTag('/x');
    await request('/x', { ifMatch: etag ?? '' });
    expect((fetched.mock.calls[1]?.[1]?.headers as Record<string, string>)['If-Match']).toBe('"v7"');
  });

  it('reads 204 and an empty 202 as nothing', async () => {
    answer(204, '');
    expect(await request('/x')).toBeUndefined();
    answer(202, '');
    expect(await request('/x')).toBeUndefined();
  });

  it('reads a problem with its fields, reference and Retry-After', async () => {
    const body = { code: 'throttled', title: 'T', ref: 'r-1', fields: [{ name: 'patient.birthDate', code: 'in-future' }] };
    answer(429, JSON.stringify(body), { 'Content-Type': 'application/problem+json', 'Retry-After': '90' });
    const problem = await problemOf(request('/x'));
    expect(problem).toMatchObject({ code: 'throttled', status: 429, ref: 'r-1', retryAfter: 90 });
    expect(problem.field('birthDate')?.code).toBe('in-future');
  });

  it('names a failure that is no problem document by its status', async () => {
    answer(502, '<html>bad gateway</html>');
    expect((await problemOf(request('/x'))).code).toBe('unavailable');
    answer(200, 'half an ans');
    expect((await problemOf(request('/x'))).code).toBe('unreadable-answer');
  });

  it('tells a network that is off from a server that does not answer', async () => {
    vi.stubGlobal('fetch', async () => {
      throw new TypeError('Failed to fetch');
    });
    vi.stubGlobal('navigator', { onLine: true });
    expect((await problemOf(request('/x'))).code).toBe('unreachable');
    vi.stubGlobal('navigator', { onLine: false });
    expect((await problemOf(request('/x'))).code).toBe('offline');
  });

  it('lets a caller cancel without making a problem of it', async () => {
    const stop = new AbortController();
    vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
      stop.abort();
      init.signal?.throwIfAborted();
    });
    const cause = await request('/x', { signal: stop.signal }).catch((e: unknown) => e);
    expect(cause).not.toBeInstanceOf(Problem);
  });
});

it('calls anything unknown a fault of the page', () => {
  expect(asProblem(new Error('boom')).code).toBe('page-fault');
});
