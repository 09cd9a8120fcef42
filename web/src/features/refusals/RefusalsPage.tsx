/** What was refused to people we know: alarms to deal with, and the log (issue 9, C4). For whom the clinic gave data-protection. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { Link } from 'wouter';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { RefusalAlarm, RefusedPerson } from '@/api/deskTypes';
import { Desk } from '@/features/desk/Desk';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayDateTime } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { readDate } from '@/ui/date';
import { DateField, Select } from '@/ui/Field';
import { Lines, Loading } from '@/ui/Loading';
import { useNow } from '@/ui/Page';
import { Segments } from '@/ui/Segments';
import { State } from '@/ui/State';
import { Tabs } from '@/ui/Tabs';
import { RefusalList } from './RefusalList';
import { sayAreas, sayKind, sayPerson } from './words';
import styles from './refusals.module.css';

export default function RefusalsPage() {
  const t = useT('refusals');
  const [tab, setTab] = useState('alarms');
  const [visited, setVisited] = useState(false);
  return (
    <Desk title={t('title')}>
      <p>{t('lead')}</p>
      <Tabs
        label={t('tabs')}
        value={tab}
        onChange={(next) => (setTab(next), setVisited((before) => before || next === 'log'))}
        items={[
          { id: 'alarms', label: t('tab.alarms'), content: <Alarms /> },
          // Read when it is opened, not before: each reading is in the audit.
          { id: 'log', label: t('tab.log'), content: visited && <Log /> },
        ]}
      />
    </Desk>
  );
}

function Alarms() {
  const t = useT('refusals');
  const [state, setState] = useState<'open' | 'settled'>('open');
  const found = useInfiniteQuery({
    queryKey: ['refusal-alarms', state],
    queryFn: ({ pageParam }) => desk.refusalAlarms(state, pageParam || undefined),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  });
  const items = found.data?.pages.flatMap((p) => p.items) ?? [];
  return (
    <div className={styles.column}>
      <Segments
        label={t('state')}
        value={state}
        onChange={setState}
        options={[
          { value: 'open', label: t('state.open') },
          { value: 'settled', label: t('state.settled') },
        ]}
      />
      {found.isPending && (
        <Loading what={t('loading')}>
          <Lines count={4} tall />
        </Loading>
      )}
      {found.isError && <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />}
      {found.data && items.length === 0 && (
        <div className={styles.nothing}>
          <p className={styles.nothingTitle}>{t(`none.${state}`)}</p>
          {state === 'open' && <p>{t('none.open.now')}</p>}
        </div>
      )}
      {items.length > 0 && (
        <>
          {state === 'open' && <p role="status">{t('open', { count: found.data?.pages[0]?.open ?? items.length })}</p>}
          <ol role="list" className={styles.rows}>
            {items.map((a) => (
              <AlarmRow key={a.id} alarm={a} />
            ))}
          </ol>
        </>
      )}
      {found.hasNextPage && (
        <Button look="secondary" onPress={() => void found.fetchNextPage()} busy={found.isFetchingNextPage}>
          {t('more')}
        </Button>
      )}
    </div>
  );
}

function AlarmRow({ alarm: a }: { alarm: RefusalAlarm }) {
  const t = useT('refusals');
  const { language } = useLanguage();
  const now = useNow();
  const kind = sayKind(t, a.kind);
  const name = sayPerson(t, a.person);
  return (
    <li className={styles.alarm}>
      <div>
        <p className={styles.kind}>{kind}</p>
        <p>{name}</p>
        <p className={styles.soft}>{t('counts', { refusals: a.refusals, count: a.objects })}</p>
        <p className={styles.soft}>{t('areas', { list: sayAreas(t, a.areas) })}</p>
        {a.state === 'settled' && a.settledAt && (
          <State tone="good">{t('settled.by', { name: a.settledBy ?? '', when: sayDateTime(a.settledAt, now, clinicZone, language) })}</State>
        )}
      </div>
      <div className={styles.side}>
        <span className={styles.when}>{sayDateTime(a.raisedAt, now, clinicZone, language)}</span>
        <Link href={`/pro/acces-refuses/${a.id}`} className={styles.see ?? ''} aria-label={t('seeName', { kind, name })}>
          {t('see')}
        </Link>
      </div>
    </li>
  );
}

function Log() {
  const t = useT('refusals');
  const people = useQuery({ queryKey: ['refused-people'], queryFn: desk.refusedPeople, staleTime: Infinity });
  const [other, setOther] = useState<RefusedPerson | null>(null);
  const [person, setPerson] = useState('');
  const [from, setFrom] = useState('');
  const [until, setUntil] = useState('');
  const [tried, setTried] = useState(false);
  const [search, setSearch] = useState<desk.RefusalSearch>({});
  const wrong = (text: string) => tried && text !== '' && readDate(text) === null;
  const reversed = (readDate(from) ?? '') > (readDate(until) ?? '9');
  const wrongEnd = () => {
    if (wrong(until)) return t('search.bad');
    return tried && reversed ? t('search.reversed') : undefined;
  };
  const ask = (who: string) => {
    setTried(true);
    const days = [from, until].map((d) => (d === '' ? '' : readDate(d)));
    if (days.includes(null) || reversed) return;
    setSearch({ ...(who ? { person: who } : {}), ...(days[0] ? { from: days[0] } : {}), ...(days[1] ? { until: days[1] } : {}) });
  };
  const only = (p: RefusedPerson) => {
    setOther(p.kind === 'staff' ? null : p);
    setPerson(p.id);
    ask(p.id);
  };
  const options = [
    { value: '', label: t('search.everybody') },
    ...(other ? [{ value: other.id, label: t('search.chosen', { name: sayPerson(t, other) }) }] : []),
    ...(people.data?.items ?? []).map((p) => ({ value: p.id, label: p.name ?? p.pseudonym })),
  ];
  return (
    <div className={styles.column}>
      <form
        className={styles.search}
        onSubmit={(e: FormEvent) => {
          e.preventDefault();
          ask(person);
        }}
      >
        <Select label={t('search.person')} name="person" value={person} onChange={setPerson} options={options} />
        <DateField label={t('search.from')} name="from" value={from} onChange={setFrom} hint={t('search.hint')} error={wrong(from) ? t('search.bad') : undefined} />
        <DateField label={t('search.until')} name="until" value={until} onChange={setUntil} hint={t('search.hint')} error={wrongEnd()} />
        <Button type="submit" look="secondary">
          {t('search.go')}
        </Button>
      </form>
      {people.isError && <DeskFailure problem={asProblem(people.error)} retry={() => void people.refetch()} busy={people.isFetching} />}
      <RefusalList search={search} onPerson={only} />
    </div>
  );
}
