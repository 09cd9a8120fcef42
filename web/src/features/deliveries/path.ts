/** The path of a document: signed, sent, received. Each step with its time, or the reason it has none. Pure. */
import type { Delivery } from '@/api/deskTypes';
import type { DeliveryState, DocumentItem } from '@/api/types';

export type StepState = 'done' | 'now' | 'later' | 'stopped';
export type Step = { name: 'signed' | 'sent' | 'received' | 'posted'; state: StepState; at?: string | undefined };

/** The steps of one delivery of a document signed at `signedAt`. */
export function steps(delivery: Pick<Delivery, 'state' | 'history' | 'kind'>, signedAt: string): Step[] {
  const signed: Step = { name: 'signed', state: 'done', at: signedAt };
  const at = (...states: DeliveryState[]) => delivery.history.filter((h) => states.includes(h.state)).at(-1)?.at;
  const { state } = delivery;
  if (delivery.kind === 'paper' || state === 'to-post' || state === 'posted') {
    return [signed, { name: 'posted', state: state === 'posted' ? 'done' : 'now', at: at('posted') }];
  }
  const sentAt = at('sent') ?? at('accepted');
  const sent = (s: StepState): Step => ({ name: 'sent', state: s, at: sentAt });
  const received = (s: StepState): Step => ({ name: 'received', state: s, at: at('accepted') });
  switch (state) {
    case 'accepted':
      return [signed, sent('done'), received('done')];
    case 'sent':
      return [signed, sent('done'), received('now')];
    case 'bounced':
      return [signed, sent('done'), received('stopped')];
    case 'refused':
    case 'waiting-identity':
      return [signed, sent('stopped'), received('later')];
    default:
      return [signed, sent('now'), received('later')];
  }
}

/** Where nothing more will happen without somebody, or without time. */
export function settled(state: DeliveryState): boolean {
  return state === 'accepted' || state === 'posted' || state === 'refused' || state === 'bounced';
}

/** Milliseconds between two looks: while something is on its way, and when only time can change it. */
const often = 2_000;
const seldom = 30_000;

/** Minutes a signed document may be without any delivery before nobody expects one. */
const letterWithin = 15;

/**
 * Milliseconds to the next look at an act's deliveries. A document just signed
 * has no delivery yet, and the notices of the appointment, long settled, say
 * nothing about it.
 */
export function lookAgain(list: readonly Path[], now: number): number {
  const moving = (p: Path) =>
    p.deliveries.length === 0 ? now - Date.parse(p.signedAt) < letterWithin * 60_000 : !p.deliveries.every((d) => settled(d.state));
  return list.some(moving) ? often : seldom;
}

export function documentIds(delivery: Pick<Delivery, 'documents'>): string[] {
  return delivery.documents.map((d) => d.id);
}

/** Documents that travel together, and where they went. */
export type Path = { documents: DocumentItem[]; signedAt: string; deliveries: Delivery[] };

/**
 * The act's documents in force with where they went, in the order of their
 * signatures; those that leave in the same messages share one path. Notices
 * without a document are not paths.
 */
export function paths(encounterId: string, documents: readonly DocumentItem[], deliveries: readonly Delivery[]): Path[] {
  const together = new Map<string, Path>();
  const signed = documents.filter((d) => d.encounterId === encounterId && d.status === 'current').sort((a, b) => a.date.localeCompare(b.date));
  for (const document of signed) {
    const carried = deliveries.filter((d) => documentIds(d).includes(document.id));
    const key = carried.map((d) => d.id).join(' ');
    const path = together.get(key) ?? { documents: [], signedAt: document.date, deliveries: carried };
    together.set(key, { ...path, documents: [...path.documents, document], signedAt: document.date });
  }
  return [...together.values()];
}
