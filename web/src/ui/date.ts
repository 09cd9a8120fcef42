/** Birth dates as people type them in France: day, month, year. */

/**
 * The text after a keystroke: the slash is put in for the person who types
 * only digits, never while they erase.
 */
export function typeDate(before: string, after: string): string {
  const text = after.replace(/[^\d/.\- ]/g, '').replace(/[.\- ]/g, '/');
  if (text.length <= before.length) return text;
  if (/^\d{2}$/.test(text) || /^\d{2}\/\d{2}$/.test(text)) return `${text}/`;
  if (/^\d{8}$/.test(text)) return `${text.slice(0, 2)}/${text.slice(2, 4)}/${text.slice(4)}`;
  return text.replace(/\/{2,}/g, '/');
}

/** YYYY-MM-DD of a typed day/month/year, or null when no such day exists. */
export function readDate(text: string): string | null {
  const found = /^\s*(\d{1,2})\/(\d{1,2})\/(\d{4})\s*$/.exec(text);
  if (!found) return null;
  const [, d, m, y] = found;
  const day = Number(d);
  const month = Number(m);
  const year = Number(y);
  const at = new Date(Date.UTC(year, month - 1, day));
  if (year < 1880 || at.getUTCFullYear() !== year || at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day) return null;
  return at.toISOString().slice(0, 10);
}
