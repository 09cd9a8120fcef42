import { describe, expect, it } from 'vitest';
import type { Delivery } from '@/api/deskTypes';
import type { DeliveryState, DocumentItem } from '@/api/types';
import { lookAgain, paths, settled, steps } from './path';

const signedAt = '2026-11-22T09:30:00Z';
const walk = (state: DeliveryState, history: [DeliveryState, string][] = [], kind: Delivery['kind'] = 'mssante') =>
  steps({ state, kind, history: history.map(([s, at]) => ({ state: s, at })) }, signedAt);
const brief = (...args: Parameters<typeof walk>) => walk(...args).map((s) => `${s.name}:${s.state}`);

describe('steps of a delivery', () => {
  it.each([
    ['queued', 'signed:done sent:now received:later'],
    ['sending', 'signed:done sent:now received:later'],
    ['sent', 'signed:done sent:done received:now'],
    ['accepted', 'signed:done sent:done received:done'],
    ['refused', 'signed:done sent:stopped received:later'],
    ['bounced', 'signed:done sent:done received:stopped'],
    ['waiting-identity', 'signed:done sent:stopped received:later'],
    ['to-post', 'signed:done posted:now'],
    ['posted', 'signed:done posted:done'],
  ] as const)('%s', (state, expected) => expect(brief(state).join(' ')).toBe(expected));

  it('gives each step its last time', () => {
    const [signed, sent, received] = walk('accepted', [
      ['queued', '2026-11-22T09:30:01Z'],
      ['sent', '2026-11-22T09:30:02Z'],
      ['sent', '2026-11-22T09:31:02Z'],
      ['accepted', '2026-11-22T09:31:05Z'],
    ]);
    expect([signed?.at, sent?.at, received?.at]).toEqual([signedAt, '2026-11-22T09:31:02Z', '2026-11-22T09:31:05Z']);
  });

  it('a server that accepts at once was sent to at that time', () => {
    expect(walk('accepted', [['accepted', '2026-11-22T09:31:05Z']])[1]?.at).toBe('2026-11-22T09:31:05Z');
  });
});

describe('paths', () => {
  const doc = (id: string, more: Partial<DocumentItem> = {}): DocumentItem => ({
    id,
    kind: 'report',
    typeCode: '11488-4',
    title: id,
    act: 'Téléconsultation',
    confidentiality: 'N',
    author: { displayName: 'Dr' },
    date: signedAt,
    version: 1,
    status: 'current',
    encounterId: 'e',
    ...more,
  });
  const delivery = (id: string, documents: string[]): Delivery => ({ id, kind: 'mssante', about: 'documents', to: { label: 'x', recipient: 'patient' }, documents: documents.map((d) => ({ id: d })), state: 'sent', attempts: 1, history: [] });

  it('keeps the documents of this act that are in force, with all their recipients', () => {
    const found = paths(
      'e',
      [doc('old', { status: 'replaced' }), doc('elsewhere', { encounterId: 'f' }), doc('b', { date: '2026-11-22T09:31:00Z' }), doc('a')],
      [delivery('1', ['a', 'b']), delivery('2', ['a']), delivery('notice', [])],
    );
    expect(found.map((p) => [p.documents.map((d) => d.id), p.deliveries.map((d) => d.id)])).toEqual([
      [['a'], ['1', '2']],
      [['b'], ['1']],
    ]);
  });

  it('shows once what leaves in the same messages, signed when the last of it was', () => {
    const found = paths('e', [doc('a'), doc('b', { date: '2026-11-22T09:31:00Z' })], [delivery('1', ['a', 'b'])]);
    expect(found).toHaveLength(1);
    expect(found[0]?.documents.map((d) => d.id)).toEqual(['a', 'b']);
    expect(found[0]?.signedAt).toBe('2026-11-22T09:31:00Z');
  });
});

describe('lookAgain', () => {
  const minutes = (n: number) => Date.parse(signedAt) + n * 60_000;
  const path = (...states: DeliveryState[]) => ({ documents: [], signedAt, deliveries: states.map((state) => ({ state }) as Delivery) });

  it('looks often for the letter of a document just signed, whatever the notices of the appointment are', () => {
    expect(lookAgain([path()], minutes(1))).toBe(2_000);
    expect(lookAgain([path('accepted'), path()], minutes(14))).toBe(2_000);
  });
  it('and while one of the letters is on its way', () => expect(lookAgain([path('accepted', 'queued')], minutes(60))).toBe(2_000));
  it('seldom when all have arrived, when no letter was ever made, and when nothing is signed', () => {
    expect(lookAgain([path('accepted', 'refused')], minutes(1))).toBe(30_000);
    expect(lookAgain([path()], minutes(16))).toBe(30_000);
    expect(lookAgain([], minutes(0))).toBe(30_000);
  });
});

describe('settled', () => {
  it('is false while time or somebody can still move it', () => {
    expect((['queued', 'sending', 'sent', 'waiting-identity', 'to-post'] as const).some(settled)).toBe(false);
    expect((['accepted', 'posted', 'refused', 'bounced'] as const).every(settled)).toBe(true);
  });
});
