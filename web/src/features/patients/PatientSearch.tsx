import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import * as desk from '@/api/desk';
import type { PatientFound } from '@/api/deskTypes';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayBirthDate } from '@/i18n/time';
import { SearchBox } from '@/ui/SearchBox';
import { useSlowly } from '@/ui/slowly';
import { searchable } from './search';

/** Finds a patient of the structure by the beginning of a name, a birth date, or both. */
export function PatientSearch({ onChoose, autoFocus = false }: { onChoose: (patient: PatientFound) => void; autoFocus?: boolean }) {
  const t = useT('patients');
  const { language } = useLanguage();
  const [text, setText] = useState('');
  const q = useSlowly(searchable(text));
  const found = useQuery({
    queryKey: ['patients', q],
    queryFn: ({ signal }) => desk.patients(q, signal),
    enabled: q.length >= 2,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
  const items = q.length >= 2 ? (found.data?.items ?? []) : [];
  const empty = found.isError ? t('search.failed') : found.isFetching || q !== searchable(text) ? t('search.looking') : t('search.none');
  return (
    <SearchBox
      label={t('search.label')}
      hint={t('search.hint')}
      value={text}
      onChange={setText}
      items={items.map((p) => ({
        id: p.id,
        title: p.displayName,
        detail: [t('search.born', { date: sayBirthDate(p.birthDate, language) }), p.phoneHint, p.emailHint].filter(Boolean).join(' · '),
      }))}
      onChoose={(id) => {
        const chosen = items.find((p) => p.id === id);
        setText('');
        if (chosen) onChoose(chosen);
      }}
      empty={empty}
      found={t('search.found', { count: items.length })}
      autoFocus={autoFocus}
    />
  );
}
