import { expect, it } from 'vitest';
import type { DeliveryState, DocumentItem } from '@/api/types';
import { acts, stepOf } from './group';

const item = (id: string, more: Partial<DocumentItem> = {}): DocumentItem => ({
  id,
  kind: 'report',
  typeCode: '11488-4',
  title: id,
  act: 'Téléconsultation',
  confidentiality: 'N',
  author: { displayName: 'Dr B' },
  date: '2026-11-22T09:00:00Z',
  version: 1,
  status: 'current',
  encounterId: 'e1',
  ...more,
});

it('puts the documents of an act together, the newest act first, the report first, old versions apart', () => {
  const found = acts([
    item('old-act', { encounterId: 'e0', date: '2026-01-02T09:00:00Z' }),
    item('prescription', { kind: 'prescription', date: '2026-11-22T09:10:00Z' }),
    item('report-1', { status: 'replaced', date: '2026-11-22T08:00:00Z' }),
    item('report-2'),
  ]);
  expect(found.map((a) => a.current.map((d) => d.id))).toEqual([['report-2', 'prescription'], ['old-act']]);
  expect(found[0]?.replaced.map((d) => d.id)).toEqual(['report-1']);
});

it('keeps a cancelled document among those that count: nothing replaces it, and the person must see that it is void', () => {
  const [act] = acts([item('void', { kind: 'prescription', status: 'cancelled' }), item('report')]);
  expect([act?.current.map((d) => d.id), act?.replaced]).toEqual([['report', 'void'], []]);
});

it.each([
  ['queued', 'signed'],
  ['sending', 'signed'],
  ['sent', 'sent'],
  ['accepted', 'received'],
  ['waiting-identity', null],
  ['to-post', null],
] as [DeliveryState, string | null][])('delivery %s reached %s', (state, step) => {
  expect(stepOf(item('a', { delivery: { state, at: '2026-11-22T09:00:00Z' } }))).toBe(step);
});
