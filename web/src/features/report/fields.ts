import type { Problem } from '@/api/client';

/** What the server says of one field, in its words; the exact name (`lines[0].dose`), with or without `body.`. */
export function fieldWords(problem: Problem | undefined, name: string): string | undefined {
  const found = problem?.fields.find((f) => f.name === name || f.name === `body.${name}`);
  return found && (found.detail || found.code);
}

/** What the server refuses that belongs to none of the fields in view. */
export function otherWords(problem: Problem | undefined, shown: readonly string[]): string[] {
  return (problem?.fields ?? []).filter((f) => !shown.includes(f.name.replace(/^body\./, ''))).map((f) => f.detail || f.code);
}
