import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import * as desk from '@/api/desk';
import type { Medicine } from '@/api/deskTypes';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { SearchBox } from '@/ui/SearchBox';
import { useSlowly } from '@/ui/slowly';
import styles from './prescription.module.css';

/** Finds a medicine by its name or its INN; what the index does not know can be written by hand. */
export function MedicineSearch({ onChoose, onFree }: { onChoose: (medicine: Medicine) => void; onFree: (name: string) => void }) {
  const t = useT('prescription');
  const [text, setText] = useState('');
  const q = useSlowly(useDeferredValue(text.trim()));
  const found = useQuery({
    queryKey: ['medicines', q],
    queryFn: ({ signal }) => desk.medicines(q, signal),
    enabled: q.length >= 2,
    placeholderData: keepPreviousData,
    staleTime: 300_000,
  });
  const items = q.length >= 2 ? (found.data?.items ?? []) : [];
  const empty = found.isError ? t('search.failed') : found.isFetching || q !== text.trim() ? t('search.looking') : t('search.none');
  return (
    <div className={styles.search}>
      <SearchBox
        label={t('search.label')}
        hint={t('search.hint')}
        value={text}
        onChange={setText}
        items={items.map((m) => ({ id: m.cis || m.name, title: m.name, detail: m.regulated ? t('search.regulated', { inn: m.inn ?? '' }) : [m.inn, m.form].filter(Boolean).join(', ') }))}
        onChoose={(id) => {
          const chosen = items.find((m) => (m.cis || m.name) === id);
          if (chosen) onChoose(chosen);
          setText('');
        }}
        empty={empty}
        found={t('search.found', { count: items.length })}
      />
      {q.length >= 2 && !found.isFetching && items.length === 0 && (
        <div>
          <Button
            look="text"
            onPress={() => {
              onFree(text.trim());
              setText('');
            }}
          >
            {t('search.free', { name: text.trim() })}
          </Button>
        </div>
      )}
    </div>
  );
}
