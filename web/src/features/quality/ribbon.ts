/** The ribbon of a call: where each stretch lies on a line from its first to its last second. */
import type { CallQuality, Ribbon } from '@/api/deskTypes';

export type Piece = { word: Ribbon['stretches'][number]['word']; start: string; end: string; left: number; width: number; text?: string };

/** Beginning and end of everything that is known of the call; null when nothing is. */
export function extent(q: Pick<CallQuality, 'seats'>): { from: number; to: number } | null {
  const all = q.seats.flatMap((s) => s.stretches);
  if (all.length === 0) return null;
  return { from: Math.min(...all.map((x) => Date.parse(x.start))), to: Math.max(...all.map((x) => Date.parse(x.end))) };
}

/** Per cent of the line below which a stretch could not be seen. */
const least = 0.8;

export function pieces(ribbon: Ribbon, line: { from: number; to: number }): Piece[] {
  const whole = Math.max(1, line.to - line.from);
  return ribbon.stretches.map((x) => {
    const left = (100 * (Date.parse(x.start) - line.from)) / whole;
    const width = Math.max(least, (100 * (Date.parse(x.end) - Date.parse(x.start))) / whole);
    return { word: x.word, start: x.start, end: x.end, left: Math.min(left, 100 - width), width, ...(x.text ? { text: x.text } : {}) };
  });
}
