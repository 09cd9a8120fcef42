/** How refusals and who met them are said. Codes that have no words of their own have common ones. */
import type { RefusedPerson } from '@/api/deskTypes';
import type { Key, Translate } from '@/i18n/i18n';
import words from '@/i18n/fr/refusals.json';

type Say = Translate<'refusals'>;

const known = (key: string): key is Key<'refusals'> => key in words;

export function sayKind(t: Say, kind: string): string {
  const key = `kind.${kind}`;
  return known(key) ? t(key) : kind;
}

export function sayArea(t: Say, area: string): string {
  const key = `area.${area}`;
  return known(key) ? t(key) : t('area.other');
}

/** The areas of an alarm, each word once. */
export function sayAreas(t: Say, areas: readonly string[]): string {
  return [...new Set(areas.map((a) => sayArea(t, a)))].join(', ');
}

export function sayReason(t: Say, reason: string): string {
  const key = `reason.${reason}`;
  return known(key) ? t(key) : t('reason.other');
}

/** A professional by name; a patient by pseudonym, by name where the server gave it (the detail of an alarm). */
export function sayPerson(t: Say, p: RefusedPerson): string {
  const name = p.name || t(`person.${p.kind}`, { pseudonym: p.pseudonym });
  return p.beside ? `${name}, ${t('person.beside', { name: p.beside })}` : name;
}
