/**
 * Proving again who signs. Pro Santé Connect is another site, so the page is left and comes back: what was
 * typed is saved before, and a note in this tab says that signing was under way. The note is good for ten
 * minutes and once, so that no address alone ever signs.
 */
const note = 'visavis.sign';
const life = 10 * 60_000;

/** What became of a step-up when the page comes back: sign now, a refusal's code, or nothing was asked. */
export type Returned = { is: 'confirmed' } | { is: 'refused'; code: string } | { is: 'none' };

export type Place = { pathname: string; search: string };

/** The address that asks who signs, and comes back to the same place. */
export function stepUpAddress(place: Place): string {
  const query = new URLSearchParams(place.search);
  query.delete('step-up');
  const rest = query.size > 0 ? `?${query}` : '';
  return `/api/auth/psc/start?again=1&return=${encodeURIComponent(place.pathname + rest)}`;
}

export function noteSigning(encounterId: string, store: Storage, now = Date.now()): void {
  store.setItem(note, JSON.stringify({ encounterId, at: now }));
}

export function readReturn(encounterId: string, place: Place, store: Storage, now = Date.now()): Returned {
  const code = new URLSearchParams(place.search).get('step-up');
  const kept = parse(store.getItem(note));
  if (!kept || kept.encounterId !== encounterId || now - kept.at > life) return { is: 'none' };
  return code === null ? { is: 'confirmed' } : { is: 'refused', code };
}

export function forgetSigning(store: Storage): void {
  store.removeItem(note);
}

function parse(text: string | null): { encounterId: string; at: number } | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    if (typeof value !== 'object' || value === null || !('encounterId' in value) || !('at' in value)) return null;
    return typeof value.encounterId === 'string' && typeof value.at === 'number' ? { encounterId: value.encounterId, at: value.at } : null;
  } catch {
    return null;
  }
}
