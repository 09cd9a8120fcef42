import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { address, call, callWithTag, type Answer, type Input, type Sent } from './call';

function answer(status: number, body: string, headers: Record<string, string> = {}) {
  const fetched = vi.fn<typeof fetch>(async () => new Response(status === 204 ? null : body, { status, headers }));
  vi.stubGlobal('fetch', fetched);
  return fetched;
}

afterEach(() => vi.unstubAllGlobals());

describe('address', () => {
  it('puts parameters in the path and the query, written so that none can leave its place', () => {
    expect(address('/api/documents/{id}/pdf', { id: '../a b?c#d' })).toBe('/api/documents/..%2Fa%20b%3Fc%23d/pdf');
    expect(address('/api/patients', {}, { q: 'é&x=1' })).toBe('/api/patients?q=%C3%A9%26x%3D1');
    expect(address('/api/agenda', {}, { date: '2026-11-23', days: 7 })).toBe('/api/agenda?date=2026-11-23&days=7');
  });
  it('leaves out what is empty', () => {
    expect(address('/api/documents', {}, { patientId: undefined })).toBe('/api/documents');
    expect(address('/api/practitioners', {}, { q: '', specialty: 'SM54' })).toBe('/api/practitioners?specialty=SM54');
  });
});

describe('call', () => {
  it('sends method, path, body, key and version of its route, and nothing else', async () => {
    const fetched = answer(200, '{"id":"a"}', { ETag: '"4"' });
    const { data, etag } = await callWithTag('PUT /api/prescriptions/{id}', { path: { id: 'p-1' }, body: { lines: [] }, ifMatch: 3 });
    expect([data.id, etag]).toEqual(['a', '"4"']);
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(url).toBe('/api/prescriptions/p-1');
    expect(init).toMatchObject({ method: 'PUT', body: '{"lines":[]}', headers: { 'If-Match': '"3"' } });
    await call('POST /api/documents/{id}/replace', { path: { id: 'd' }, body: {}, idempotencyKey: 'k' });
    expect(fetched.mock.calls[1]?.[1]).toMatchObject({ method: 'POST', headers: { 'Idempotency-Key': 'k' } });
    await call('GET /api/me');
    expect(fetched.mock.calls[2]?.[1]?.body).toBeUndefined();
  });
  it('can be cancelled', async () => {
    const stop = new AbortController();
    vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
      stop.abort();
      init.signal?.throwIfAborted();
    });
    await expect(call('GET /api/patients', { query: { q: 'x' }, signal: stop.signal })).rejects.toThrow(/abort/i);
  });
});

/** What must not compile: tsc fails on an unused @ts-expect-error. */
export const refused = () => [
  // @ts-expect-error no such route
  call('GET /api/nothing'),
  // @ts-expect-error no such method on this route
  call('DELETE /api/me'),
  // @ts-expect-error the path needs an id
  call('GET /api/encounters/{id}'),
  // @ts-expect-error not that name
  call('GET /api/encounters/{id}', { path: { encounterId: 'e' } }),
  // @ts-expect-error an edit says what it saw
  call('PUT /api/prescriptions/{id}', { path: { id: 'p' }, body: { lines: [] } }),
  // @ts-expect-error a creation has a key
  call('POST /api/documents/{id}/replace', { path: { id: 'd' }, body: {} }),
  // @ts-expect-error not a way to identify
  call('POST /api/encounters/{id}/identity', { path: { id: 'e' }, body: { how: 'voice' } }),
  // @ts-expect-error not a state of a delivery queue
  call('GET /api/deliveries', { query: { state: 'posted' } }),
];

it('has the types of the document', () => {
  expectTypeOf<Answer<'GET /api/encounters/{id}'>['status']>().toEqualTypeOf<'planned' | 'arrived' | 'in-progress' | 'finished' | 'cancelled'>();
  expectTypeOf<Answer<'POST /api/appointments/{id}/link/revoke'>>().toEqualTypeOf<undefined>();
  expectTypeOf<Answer<'POST /api/appointments'>['practitioner']['nextSlot']>().toEqualTypeOf<{ scheduleId?: string; start: string; end: string } | undefined>();
  expectTypeOf<Sent<'POST /api/encounters/{id}/report/sign'>>().toEqualTypeOf<{ version: number }>();
  expectTypeOf<Input<'GET /api/me'>>().not.toHaveProperty('path');
});
