/** Documents of one act together, the newest act first, replaced versions under the current one. A cancelled one stays in sight, and says so. */
import type { DocumentItem } from '@/api/types';

export type Act = { key: string; date: string; current: DocumentItem[]; replaced: DocumentItem[] };

export function acts(items: readonly DocumentItem[]): Act[] {
  const found = new Map<string, Act>();
  const newestFirst = [...items].sort((a, b) => Date.parse(b.date) - Date.parse(a.date));
  for (const item of newestFirst) {
    const key = item.encounterId;
    const act = found.get(key) ?? { key, date: item.date, current: [], replaced: [] };
    (item.status === 'replaced' ? act.replaced : act.current).push(item);
    found.set(key, act);
  }
  // Within an act the report comes first: it explains the rest.
  for (const act of found.values()) act.current.sort((a, b) => b.kind.localeCompare(a.kind));
  return [...found.values()];
}

export type Step = 'signed' | 'sent' | 'received';

/** How far a document went on its way to Mon espace santé; null when it does not go there. */
export function stepOf(item: DocumentItem): Step | null {
  switch (item.delivery?.state) {
    case 'queued':
    case 'sending':
      return 'signed';
    case 'sent':
      return 'sent';
    case 'accepted':
      return 'received';
    default:
      return null;
  }
}
