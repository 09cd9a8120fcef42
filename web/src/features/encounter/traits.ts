/** How traits are said at the desk. */
import type { Translate } from '@/i18n/i18n';

const relations = ['mother', 'father', 'guardian'] as const;

export function relation(t: Translate<'encounter'>, word: string): string {
  const known = relations.find((r) => r === word);
  return known ? t(`relation.${known}`) : word;
}

/** « 2 79 03 51 215 189 89 », as on a Vitale card. */
export function sayIns(ins: string): string {
  const found = /^(.)(..)(..)(..)(...)(...)(..)$/.exec(ins.replace(/\s/g, ''));
  return found ? found.slice(1).join('\u00a0') : ins;
}

/** « 06 12 34 56 78 » for a French number, any other as it is. */
export function sayPhone(phone: string): string {
  const found = /^\+33(\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(phone);
  return found ? `0${found.slice(1).join('\u00a0')}` : phone;
}

const roles = ['patient', 'representative', 'companion', 'doctor', 'dentist', 'midwife', 'professional', 'nurse', 'pharmacist', 'interpreter'] as const;

export function role(t: Translate<'encounter'>, name: string): string {
  const known = roles.find((r) => r === name);
  return known ? t(`role.${known}`) : t('role.other');
}
