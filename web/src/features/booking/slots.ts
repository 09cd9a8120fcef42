/** Free slots as days of the visitor's own calendar. */
import type { Slot } from '@/api/types';
import { dayOf } from '@/i18n/time';

export type PartOfDay = 'morning' | 'afternoon' | 'evening';
export type SlotDay = { day: string; count: number; parts: { part: PartOfDay; slots: Slot[] }[] };

const order: readonly PartOfDay[] = ['morning', 'afternoon', 'evening'];

function partOf(start: string, zone: string): PartOfDay {
  const hour = Number(new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' }).format(new Date(start)));
  if (hour < 12) return 'morning';
  return hour < 18 ? 'afternoon' : 'evening';
}

/** Slots by day and part of the day in `zone`, in order; days and parts without a slot are left out. */
export function slotDays(slots: readonly Slot[], zone: string): SlotDay[] {
  const days = new Map<string, Map<PartOfDay, Slot[]>>();
  const sorted = [...slots].sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
  for (const slot of sorted) {
    const day = dayOf(slot.start, zone);
    const parts = days.get(day) ?? new Map<PartOfDay, Slot[]>();
    const part = partOf(slot.start, zone);
    parts.set(part, [...(parts.get(part) ?? []), slot]);
    days.set(day, parts);
  }
  return [...days].map(([day, parts]) => {
    const filled = order.flatMap((part) => {
      const found = parts.get(part);
      return found ? [{ part, slots: found }] : [];
    });
    return { day, count: filled.reduce((n, p) => n + p.slots.length, 0), parts: filled };
  });
}
