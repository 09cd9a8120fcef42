import { readDate } from '@/ui/date';

/** What is asked of the server: names as typed, a French date turned into YYYY-MM-DD. */
export function searchable(text: string): string {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => readDate(word.replace(/[.-]/g, '/')) ?? word)
    .join(' ');
}
